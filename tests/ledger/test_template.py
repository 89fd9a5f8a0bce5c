"""Templates: valid before any work, whatever the list of operations holds."""

import itertools
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from meshchain.ledger import difficulty, operations, template
from meshchain.ledger.block import ARRAY_OVERHEAD, ITEM_OVERHEAD, Block
from meshchain.ledger.header import Header
from meshchain.ledger.operations import Operation
from meshchain.ledger.pow import search_nonce
from meshchain.ledger.stamps import Stamp
from tests.ledger.kit import Lab, small_params

LAST_TIME = 2**64 - 1


def mined(lab: Lab, built: template.Template) -> Block:
    memory = lab.params.consensus.pow_memory_kib
    nonce, _ = search_nonce(built.header.encode(), memory, 0, 2**20, lambda: False)
    assert nonce is not None
    return Block(replace(built.header, nonce=nonce), built.operations)


def adopt(lab: Lab, built: template.Template) -> None:
    """Mine the template; the chain must take it as its new tip."""
    block = mined(lab, built)
    assert Block.decode(block.encode(), lab.params.consensus) == block
    assert lab.chain.add_block(block, lab.now).connected == (block,)


def poisons(lab: Lab) -> dict[str, Operation]:
    """Operations that a block must not hold, by the rule each breaks. ``alice`` is registered by owner 1."""
    owner, stranger, reg = lab.owner(1), lab.owner(2), lab.entry("alice").reg
    good = lab.stamp(owner.update("alice", reg, 3))
    assert good.stamp is not None
    return {
        "commitment-missing": lab.stamp(owner.reveal("bob")),
        "seq-too-low": lab.stamp(owner.update("alice", reg, 0)),
        "signature": lab.stamp(stranger.update("alice", reg, 2)),
        "name-absent": lab.stamp(owner.update("carol", reg, 1)),
        "stamp-missing": owner.update("alice", reg, 1),
        "stamp-work": replace(good, stamp=replace(good.stamp, bits=40)),
        "stamp-bits": replace(good, stamp=replace(good.stamp, bits=0)),
        "stamp-anchor": replace(good, stamp=Stamp(3, bytes(8), 4, (0,) * 8)),
        "stamp-anchor-fork": replace(good, stamp=replace(good.stamp, anchor_hash=bytes(8))),
    }


@settings(max_examples=40)
@given(order=st.permutations(range(12)))
def test_poison_is_left_out_and_the_rest_is_mined(order: list[int]) -> None:
    lab = Lab()
    reg = lab.register(lab.owner(), "alice").reg
    bad = poisons(lab)
    good = [lab.stamp(lab.owner(n).commit("x")) for n in (1, 2)] + [lab.stamp(lab.owner().update("alice", reg, 1))]
    listed = [*bad.values(), *good]
    built = template.build(lab.chain, [listed[at] for at in order], lab.now)
    assert {operations.wid(op) for op in built.operations} == {operations.wid(op) for op in good}
    why = {(opid, error.code) for opid, error in built.dropped}
    assert why == {(operations.opid(op, lab.genesis), code) for code, op in bad.items()}
    adopt(lab, built)


def test_at_worst_an_empty_block() -> None:
    lab = Lab()
    lab.register(lab.owner(), "alice")
    built = template.build(lab.chain, list(poisons(lab).values()), lab.now)
    assert built.operations == ()
    assert len(built.dropped) == 9
    adopt(lab, built)


def test_an_operation_listed_twice_is_taken_once() -> None:
    lab = Lab()
    commit = lab.stamp(lab.owner().commit("alice"))
    again = lab.stamp(lab.owner().commit("alice"), more=1)
    built = template.build(lab.chain, [commit, again], lab.now)
    assert built.operations == (commit,)
    assert [error.code for _, error in built.dropped] == ["operation-repeated"]
    adopt(lab, built)


def test_what_does_not_fit_makes_room_for_what_does() -> None:
    lab = Lab(small_params(max_block_size=4096))
    owner = lab.owner()
    regs = {f"n{n}": lab.register(owner, f"n{n}").reg for n in range(5)}
    large = [lab.stamp(owner.update(name, reg, 1, {"note": "x" * 1400})) for name, reg in regs.items()]
    small = lab.stamp(owner.commit("alice"))
    built = template.build(lab.chain, [*large, small], lab.now)
    assert built.operations == (*large[:2], small)
    assert [error.code for _, error in built.dropped] == ["block-full"] * 3
    adopt(lab, built)


def test_a_block_is_filled_to_the_last_byte_that_fits() -> None:
    """One list at neighbouring limits: all that fits is taken, and nothing more."""
    counts = set()
    for limit in range(4096, 4096 + 180, 20):
        lab = Lab(small_params(max_block_size=limit))
        reg = lab.register(lab.owner(), "alice").reg
        listed = [lab.stamp(lab.owner().update("alice", reg, seq)) for seq in range(1, 30)]
        built = template.build(lab.chain, listed, lab.now)
        sizes = itertools.accumulate(ITEM_OVERHEAD + len(operations.encode(operation)) for operation in listed)
        room = limit - Header.SIZE - ARRAY_OVERHEAD
        assert built.operations == tuple(op for op, size in zip(listed, sizes, strict=True) if size <= room)
        assert len(mined(lab, built).encode()) <= limit
        counts.add(len(built.operations))
    assert len(counts) > 1


def test_the_time_is_the_clocks_or_just_after_the_median() -> None:
    lab = Lab()
    lab.mine_empty(12)
    median = lab.next().median_time
    assert template.build(lab.chain, [], lab.now + 50.9).header.time == int(lab.now + 50.9)
    slow = template.build(lab.chain, [], median - 500)
    assert slow.header.time == median + 1
    adopt(lab, slow)


def test_bits_follow_the_blocks_own_time() -> None:
    retargeting = small_params(retarget=True, pow_limit_bits="203fffff", half_life=600)
    lab = Lab(retargeting)
    for _ in range(3):
        lab.now -= 119  # faster than the schedule
        lab.mine()
    tip = lab.chain.tip
    bits = {later: template.build(lab.chain, [], lab.now + later).header.bits for later in (0, 600, 6000)}
    assert bits == {
        later: difficulty.next_bits(retargeting.consensus, tip.difficulty, int(lab.now + later)) for later in bits
    }
    assert len(set(bits.values())) > 1


def test_the_template_does_not_touch_the_chain() -> None:
    lab = Lab()
    lab.register(lab.owner(), "alice")
    before = dict(lab.chain.store.items(b""))
    template.build(lab.chain, [lab.stamp(lab.owner().commit("bob"))], lab.now)
    assert dict(lab.chain.store.items(b"")) == before


def test_a_chain_that_was_taken_to_the_end_of_time_still_gives_templates() -> None:
    """Without a future limit (dev) anybody can stamp 2^64 - 1; the next block is impossible, the template is not."""
    lab = Lab(small_params(future_limit=None))
    for _ in range(12):
        if lab.chain.next_block().median_time >= LAST_TIME:
            break
        lab.chain.add_block(lab.block(time=LAST_TIME), None)
    built = template.build(lab.chain, [], lab.now)
    assert built.header.time == LAST_TIME
    assert len(built.header.encode()) == Header.SIZE
