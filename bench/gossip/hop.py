"""What one hop of a block costs whose operations both sides know: CPU of both sides together, and bytes on the wire.

Not counted is what any node does with a new block, hop or not: connecting it. That stands in a row of its own.
"""

from collections.abc import Sequence
from statistics import median
from typing import Final

from bench.gossip.ends import Cost, End, settle
from bench.measure import Row
from meshchain.ledger.block import Block
from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Operation
from meshchain.ledger.params import bundled_networks
from tests.ledger.kit import Lab, Owner

OPERATIONS: Final = 100
_LIMIT_CPU: Final = 0.010
_LIMIT_BYTES: Final = 1500 + 8 * OPERATIONS
_NAMES: Final = [f"name-{index}" for index in range(OPERATIONS)]


def hop(rounds: int) -> list[Row]:
    """``rounds`` blocks from one end to the other; medians."""
    params = bundled_networks()["dev"]
    lab, ends = Lab(params), (End(params, 1), End(params, 2))
    owner = lab.owner()
    for listed in ([owner.commit(name) for name in _NAMES], [owner.reveal(name) for name in _NAMES]):
        block = _mine(lab, [lab.stamp(operation) for operation in listed])
        for end in ends:
            end.take(block)
    settle(*ends)
    assert all(end.connected for end in ends), "no greeting"
    return _rows([_cross(lab, owner, ends, 1 + number) for number in range(rounds)])


def _cross(lab: Lab, owner: Owner, ends: tuple[End, End], seq: int) -> list[Cost]:
    """One block of updates, known to both, goes from the end that was dialled to the one that dialled."""
    record: Record = {"dns": [["", "TXT", 600, f"update {seq}"]]}
    listed = [lab.stamp(owner.update(name, owner.reg(name), seq, record)) for name in _NAMES]
    for end in ends:
        end.admit(listed)
    block = _mine(lab, listed)
    receiver, sender = ends
    receiver.cost, sender.cost = Cost(), Cost()
    sender.take(block)
    settle(receiver, sender)
    assert receiver.chain.tip.id == block.header.id, "the block did not cross"
    return [receiver.cost, sender.cost]


def _mine(lab: Lab, listed: Sequence[Operation]) -> Block:
    (block,) = lab.mine(*listed).connected
    return block


def _rows(crossings: list[list[Cost]]) -> list[Row]:
    cpu = median(sum(cost.gossip + cost.headers for cost in pair) for pair in crossings)
    header = median(sum(cost.headers for cost in pair) for pair in crossings)
    connecting = median(sum(cost.connecting for cost in pair) for pair in crossings)
    sent = int(median(sum(cost.sent for cost in pair) for pair in crossings))
    what = f"a block with {OPERATIONS} known operations"
    figure = f"{1000 * cpu:.1f} ms on both sides, {1000 * header:.1f} of it the header's work"
    values = {"cpu_s": cpu, "header_s": header}
    wire = f"{sent:,} B both ways, seals included"
    return [
        Row(f"{what} crosses a hop", figure, "< 10 ms of CPU", cpu < _LIMIT_CPU, values),
        Row("its bytes", wire, f"< {_LIMIT_BYTES:,} B", sent < _LIMIT_BYTES, {"bytes": sent}),
        Row("connecting it (not counted above)", f"{1000 * connecting:.1f} ms", "", None, {"cpu_s": connecting}),
    ]
