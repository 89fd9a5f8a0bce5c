"""Headers with real work and no state behind them: those of empty blocks, whose state root never changes."""

import random
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace

from meshchain.ledger import chaintime, compact, difficulty
from meshchain.ledger.block import Block
from meshchain.ledger.chain.index import IndexEntry, extend, genesis_entry
from meshchain.ledger.header import Header, genesis, operations_root
from meshchain.ledger.params import Params
from meshchain.ledger.pow import search_nonce
from tests.ledger.kit import Lab


def start(params: Params) -> IndexEntry:
    return genesis_entry(genesis(params), params.consensus)


def mine_headers(
    params: Params,
    gaps: Iterable[int],
    *,
    above: Sequence[Header] = (),
    seed: int = 1,
    work: bool = True,
) -> list[Header]:
    """Headers after ``above`` (a chain from block 1 on), each ``gaps`` seconds after the one before.

    Without ``work`` they are forgeries: all is right but the hash, and that is surely wrong.
    """
    c, entry = params.consensus, start(params)
    times = deque([entry.header.time], maxlen=chaintime.MEDIAN_SPAN)
    for header in above:
        entry = extend(c, entry, chaintime.median_time_past(tuple(times)), header)
        times.append(header.time)
    rng, mined = random.Random(seed), []
    for gap in gaps:
        time = entry.header.time + gap
        bits = difficulty.next_bits(c, entry.difficulty, time)
        blank = Header(1, entry.height + 1, entry.id, operations_root(()), bytes(32), time, bits, 0)
        header = _proven(params, blank, rng) if work else _forged(params, blank)
        entry = extend(c, entry, chaintime.median_time_past(tuple(times)), header)
        times.append(time)
        mined.append(header)
    return mined


def mined_header(params: Params, above: Sequence[Header], *, state_root: bytes) -> Header:
    """One more header with real work and any state root: the block of it is invalid."""
    (good,) = mine_headers(params, [120], above=above)
    return _proven(params, replace(good, state_root=state_root), random.Random(1))


def _proven(params: Params, header: Header, rng: random.Random) -> Header:
    first = rng.getrandbits(32)
    nonce, _ = search_nonce(header.encode(), params.consensus.pow_memory_kib, first, 2**24, lambda: False)
    assert nonce is not None
    return _with_nonce(header, nonce)


def _forged(params: Params, header: Header) -> Header:
    for nonce in range(2**32):
        found, _ = search_nonce(header.encode(), params.consensus.pow_memory_kib, nonce, 1, lambda: False)
        if found is None:
            return _with_nonce(header, nonce)
    raise AssertionError("every nonce has work")


def _with_nonce(h: Header, nonce: int) -> Header:
    return replace(h, nonce=nonce)


def lab_of(params: Params, headers: Sequence[Header]) -> Lab:
    """A lab whose chain is these headers' empty blocks, its clock a minute after the last."""
    lab = Lab(params)
    for header in headers:
        lab.chain.add_block(Block(header, ()), None)
    return Lab(params, store=lab.chain.store)


def work_of_chain(headers: Iterable[Header]) -> int:
    """Work of headers from block 1 on: what their last one's index entry says."""
    return sum(compact.work(header.bits) for header in headers)
