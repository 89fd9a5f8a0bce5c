"""The eight nodes as processes of their own: LevelDB, threads, trio, kernel sockets."""

import signal
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from meshchain.ledger import operations
from meshchain.ledger.operations import Operation
from meshchain.ledger.store.leveldb import LevelStore
from meshchain.node import LEDGER_FOLDER
from tests.ledger.kit import Lab
from tests.node.conftest import Launch
from tests.node.honesty.courier import Courier
from tests.node.honesty.script import COUNT, STEPS, End, Rows, rows
from tests.node.running import Running
from tests.waiting import eventually, free_port


class RealNetwork:
    """As ``script.Network``; the nodes' data lies in ``folder``."""

    def __init__(self, launch: Launch, folder: Path) -> None:
        self._launch = launch
        self._folder = folder
        self._ports = [free_port() for _ in range(COUNT)]
        self._nodes: list[Running] = []

    def start(self) -> None:
        self._nodes = [self._run(number) for number in range(COUNT)]
        for node in self._nodes:
            node.wait()
        for node in self._nodes:
            eventually(lambda node=node: _ready(node) >= len(STEPS), "it has its peers")  # type: ignore[misc]

    def deliver(self, to: int, lab: Lab) -> None:
        tip = lab.chain.tip.id.hex()
        with Courier(self._ports[to], lab.chain) as courier:
            courier.bring()
            eventually(lambda: bool(self._nodes[to].call("getbestblockhash") == tip), "it is at the chain's tip")

    def give(self, to: int, operation: Operation) -> None:
        self._nodes[to].call("sendoperation", operations.encode(operation).hex())

    def kill(self, which: int) -> None:
        self._nodes[which].kill()

    def restart(self, which: int) -> None:
        self._nodes[which] = self._run(which).wait()

    def come_to(self, end: End, without: int | None = None) -> None:
        for number, node in enumerate(self._nodes):
            if number != without:
                eventually(lambda node=node: _end_of(node) == end, f"node {number} is there")  # type: ignore[misc]

    def stop(self) -> Sequence[Rows]:
        for node in self._nodes:
            node.process.send_signal(signal.SIGTERM)
        assert [node.ended() for node in self._nodes] == [0] * COUNT
        return [self._rows(node) for node in self._nodes]

    def _run(self, number: int) -> Running:
        peers = [("--peer", f"127.0.0.1:{self._ports[(number + step) % COUNT]}") for step in STEPS]
        options = ("--mine", "off", *(word for peer in peers for word in peer))
        return self._launch(self._folder / f"n{number}", *options, p2p=f"127.0.0.1:{self._ports[number]}")

    @staticmethod
    def _rows(node: Running) -> Rows:
        with closing(LevelStore(node.datadir / "dev" / LEDGER_FOLDER)) as store:
            return rows(store)


def _ready(node: Running) -> int:
    return sum(row["state"] == "ready" for row in node.call("getpeerinfo"))


def _end_of(node: Running) -> End:
    pending = node.call("getrawmempool", True).values()
    return End(bytes.fromhex(node.call("getbestblockhash")), frozenset(bytes.fromhex(op["wid"]) for op in pending))
