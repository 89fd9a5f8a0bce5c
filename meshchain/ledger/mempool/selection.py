"""Which pooled operations a block should hold: most work per byte first, lanes from their beginning.

A greedy walk over the heads of all lanes. What does not fit closes its lane and the walk goes on with smaller
ones; of rival reveals the first that fits wins its name.
"""

import heapq

from meshchain.ledger.mempool.lanes import Lanes
from meshchain.ledger.mempool.pending import Pending
from meshchain.ledger.mempool.room import Room
from meshchain.ledger.operations import Operation, Reveal
from meshchain.ledger.params import Consensus


def select(lanes: Lanes, consensus: Consensus) -> tuple[Operation, ...]:
    """The operations of a valid block, in its order."""
    room = Room(consensus)
    open_lanes = list(lanes.lanes())
    heads = [_head(lane, number, 0) for number, lane in enumerate(open_lanes)]
    heapq.heapify(heads)
    begun: set[str] = set()
    chosen: list[Operation] = []
    while heads:
        _, _, number, at = heapq.heappop(heads)
        lane = open_lanes[number]
        if not _takes(lane[at], room, begun):
            continue
        chosen.append(lane[at].operation)
        if at + 1 < len(lane):
            heapq.heappush(heads, _head(lane, number, at + 1))
    return tuple(chosen)


def _head(lane: list[Pending], number: int, at: int) -> tuple[float, bytes, int, int]:
    return -lane[at].rank, lane[at].opid, number, at


def _takes(pending: Pending, room: Room, begun: set[str]) -> bool:
    operation = pending.operation
    if isinstance(operation, Reveal) and operation.name in begun:
        return False
    if not room.fits(operation, pending.size):
        return False
    room.take(operation, pending.size)
    if isinstance(operation, Reveal):
        begun.add(operation.name)
    return True
