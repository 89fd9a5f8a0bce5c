"""Looking into a chain: its whole store, its tips, and branches made to order."""

from collections.abc import Sequence
from dataclasses import replace

from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain, Switch
from meshchain.ledger.pow import search_nonce
from meshchain.ledger.store import Reader, layout
from tests.ledger.kit import Lab

VOLATILE = (layout.PARKED,)


def contents(reader: Reader) -> dict[bytes, bytes]:
    """Every row of the store."""
    return {key: value for letter in range(256) for key, value in reader.items(bytes((letter,)))}


def derived(reader: Reader) -> dict[bytes, bytes]:
    """The rows that the active chain's blocks determine."""
    return {key: value for prefix in layout.DERIVED for key, value in reader.items(prefix)}


def remined(lab: Lab, block: Block, **changes: object) -> Block:
    """The block with header fields replaced and its work done again."""
    header = replace(block.header, **changes)  # type: ignore[arg-type]  # fields of Header
    memory = lab.params.consensus.pow_memory_kib
    nonce, _ = search_nonce(replace(header, nonce=0).encode(), memory, 0, 10_000, lambda: False)
    assert nonce is not None
    return Block(replace(header, nonce=nonce), block.operations)


def branch(lab: Lab, back: int, count: int) -> list[Block]:
    """``count`` empty blocks on the block ``back`` below the tip; not given to the lab."""
    fork = lab.fork(back=back)
    fork.mine_empty(count)
    return list(fork.blocks()[-count:])


def spoil(lab: Lab, blocks: Sequence[Block], at: int) -> list[Block]:
    """The same branch with a wrong state root in block ``at``; those after it are mined anew on top of it."""
    spoilt = list(blocks[:at])
    spoilt.append(remined(lab, blocks[at], state_root=b"\1" * 32))
    for block in blocks[at + 1 :]:
        spoilt.append(remined(lab, block, previous=spoilt[-1].header.id))
    return spoilt


def give(chain: Chain, blocks: Sequence[Block]) -> Switch:
    """Add the blocks; the last Switch."""
    switch = Switch()
    for block in blocks:
        switch = chain.add_block(block, None)
    return switch
