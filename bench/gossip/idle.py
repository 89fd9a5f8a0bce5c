"""What a node costs that has nothing to do: eight peers, no mining, no operations.

Nine real nodes on dev; one takes the connections of the eight others, and is looked at after the greetings are over.
"""

import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.gossip.nodes import cpu_seconds, meshd, ready_peers
from bench.measure import Row
from tests.node.running import Running
from tests.waiting import eventually, free_port

PEERS: Final = 8
_GREETED: Final = 5.0
"""Seconds until addresses are exchanged and the first pings answered."""


@dataclass(frozen=True, slots=True)
class Look:
    """Running seconds; CPU seconds of the process; bytes on the wire of all its connections, both ways."""

    when: float
    cpu: float
    wire: int


def idle(seconds: float) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        port = free_port()
        node = stack.enter_context(meshd(Path(folder) / "node", p2p=f"127.0.0.1:{port}"))
        for number in range(PEERS):
            stack.enter_context(meshd(Path(folder) / f"peer-{number}", "--peer", f"127.0.0.1:{port}"))
        eventually(lambda: len(ready_peers(node)) == PEERS, "all peers are ready")
        time.sleep(_GREETED)
        before = _look(node)
        node.client.close()  # a kept connection may just be timed out when it is used again
        time.sleep(seconds)
        after = _look(node)
    return _rows(before, after)


def _look(node: Running) -> Look:
    rows = ready_peers(node)
    assert len(rows) == PEERS, "a peer has gone"
    return Look(time.monotonic(), cpu_seconds(node.process.pid), sum(row["sent"] + row["received"] for row in rows))


def _rows(before: Look, after: Look) -> list[Row]:
    elapsed = after.when - before.when
    share, rate = (after.cpu - before.cpu) / elapsed, (after.wire - before.wire) / elapsed
    what = f"idle with {PEERS} peers"
    return [
        Row(f"{what}: CPU", f"{share:.2%} of a core over {elapsed:.0f} s", "< 0.5 %", share < 0.005, {"share": share}),
        Row(f"{what}: gossip", f"{rate:.0f} B/s in and out", "< 200 B/s", rate < 200, {"bytes_per_second": rate}),
    ]
