"""How much the mempool holds, and who has to go so that an operation can come in.

Over all: a number of bytes; the lowest rank goes, with what builds on it. For one name: 8 operations. There a
living name's lane is filled by its owner alone, so the ninth is simply refused. Of an absent name strangers can
fill the places with rival reveals, so the reveal of one more life always gets a place if it ranks above the
lowest of them, and no life keeps more than one operation at the cost of another's reveal.
"""

from collections.abc import Iterator
from typing import Final

from meshchain.ledger.errors import RuleError
from meshchain.ledger.mempool.lanes import Lanes
from meshchain.ledger.mempool.pending import Life, Pending
from meshchain.ledger.operations import Reveal
from meshchain.ledger.stamps import PUZZLES

MAX_PER_NAME: Final = 8


def victims(lanes: Lanes, pending: Pending, life: Life, limit: int) -> list[Pending]:
    """Operations to cut from ``lanes`` (at most ``limit`` bytes) so that ``pending`` of ``life`` fits.

    Raises RuleError mempool-name-full or mempool-full, with the rank to beat (hashes per byte) and the bits which
    an operation of this size needs for that.
    """
    old = lanes.get(pending.opid)
    gone = [] if old else _crowded_out(lanes, pending, life)
    need = lanes.size + pending.size - (old.size if old else 0) - sum(p.size for p in gone) - limit
    for lowest in lanes.ranked():
        if need <= 0:
            return gone
        if lowest in gone or lowest is old:
            continue
        if lowest.rank_key >= pending.rank_key or lowest in lanes.lane(life):
            raise _refusal("mempool-full", "the mempool is full of operations with more work per byte", pending, lowest)
        leaving = [p for p in lanes.onward(lowest.opid) if p not in gone]
        gone += leaving
        need -= sum(p.size for p in leaving)
    if need > 0:
        raise RuleError("mempool-full", "the operation is larger than the mempool", size=pending.size)
    return gone


def _crowded_out(lanes: Lanes, pending: Pending, life: Life) -> list[Pending]:
    """Who leaves because the name has its 8 operations."""
    rivals = [lanes.lane(other) for other in lanes.lives(life[0])]
    if sum(map(len, rivals)) < MAX_PER_NAME:
        return []
    if not isinstance(pending.operation, Reveal) or lanes.lane(life):
        message = f"{MAX_PER_NAME} operations of {life[0]} wait already"
        raise RuleError("mempool-name-full", message, name=life[0], limit=MAX_PER_NAME)
    longest = max(rivals, key=len)
    if len(longest) > 1:
        return longest[-1:]
    lowest = min((lane[0] for lane in rivals), key=lambda head: head.rank_key)
    if lowest.rank_key >= pending.rank_key:
        raise _refusal("mempool-name-full", f"{MAX_PER_NAME} better reveals of {life[0]} wait", pending, lowest)
    return [lowest]


def _refusal(code: str, message: str, pending: Pending, lowest: Pending) -> RuleError:
    floor = lowest.rank
    bits = next(bits for bits in _all_bits() if PUZZLES * 2.0**bits / pending.size > floor)
    return RuleError(code, message, floor=f"{floor:.3f}", rank=f"{pending.rank:.3f}", bits=bits)


def _all_bits() -> Iterator[int]:
    """Stamps have at most 64 bits; sizes differ by less than 2^16, so the search ends at 80."""
    return iter(range(128))
