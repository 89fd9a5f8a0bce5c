"""What can befall a node in company: a full disk while it syncs, a line that breaks every second, a wrong clock.

Each fault shows in ``status`` and the alarms, ends by itself with its cause, and loses nothing that was accepted.
"""

import calendar
import json
import select
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest

from meshchain.ledger import params
from meshchain.rpc.client.errors import ClientError
from tests.node.conftest import Launch
from tests.node.registering import drafts
from tests.node.running import Running
from tests.node.test_faults import alarms, occupy, small_disk
from tests.waiting import eventually, free_port

__all__ = ["small_disk"]  # a fixture


def tips(*nodes: Running) -> int:
    """How many different tips they have."""
    return len({node.call("getbestblockhash") for node in nodes})


def knows(node: Running, name: str) -> bool:
    try:
        return bool(node.call("name_show", name)["status"] == "active")
    except ClientError:
        return False


def chain_info(node: Running) -> dict[str, Any]:
    info: dict[str, Any] = node.call("getblockchaininfo")
    return info


# --- a disk that fills up ----------------------------------------------------------------------------------------


@pytest.mark.root
def test_a_disk_that_fills_up_during_sync(small_disk: Path, tmp_path: Path, launch: Launch) -> None:
    port = free_port()
    source = launch(tmp_path / "source", p2p=f"127.0.0.1:{port}").wait()
    source.call("generate", 150)
    (tmp_path / "node").symlink_to(small_disk)  # its log stays readable
    node = launch(tmp_path / "node", "--peer", f"127.0.0.1:{port}").wait()
    eventually(lambda: node.call("getblockcount") == 150, "the first part has come")
    with (small_disk / "fill").open("wb", buffering=0) as fill:
        occupy(fill.fileno())
        for _ in range(200):
            source.call("generate", 5)
            occupy(fill.fileno())
            if "store" in alarms(node):
                break
    eventually(lambda: "store" in alarms(node), "the alarm stands")
    behind = node.call("getblockcount")
    assert behind < source.call("getblockcount")
    assert chain_info(node)["blocks"] == behind
    assert node.call("getbestblockhash") == source.call("getblockhash", behind)
    (small_disk / "fill").unlink()
    eventually(lambda: tips(source, node) == 1, "it has caught up by itself")
    eventually(lambda: "store" not in alarms(node), "the alarm is over")
    assert node.call("checkchain")["ok"]
    assert node.call("listbanned") == source.call("listbanned") == []  # nobody was blamed for our disk
    assert node.stop() == 0


# --- a line that breaks ------------------------------------------------------------------------------------------


class Line:
    """A TCP proxy to ``target`` that can be cut: every connection on it is reset, new ones are refused."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = threading.Event()
        self._open.set()
        self._over = False
        self.carried = self.cuts = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def cut(self) -> None:
        self.cuts += 1
        self._open.clear()

    def mend(self) -> None:
        self._open.set()

    def _run(self) -> None:
        pairs: dict[socket.socket, socket.socket] = {}
        while not self._over:
            readable, _, _ = select.select([self._listener, *pairs], [], [], 0.02)
            for sock in readable:
                if sock is self._listener:
                    self._accept(pairs)
                elif sock in pairs:
                    self._carry(sock, pairs)
            if not self._open.is_set():
                self._drop(pairs)
        self._drop(pairs)

    def _drop(self, pairs: dict[socket.socket, socket.socket]) -> None:
        for sock in pairs:
            sock.close()
        pairs.clear()

    def _accept(self, pairs: dict[socket.socket, socket.socket]) -> None:
        near, _ = self._listener.accept()
        if not self._open.is_set():
            near.close()
            return
        far = socket.create_connection(("127.0.0.1", self._target))
        pairs[near], pairs[far] = far, near

    def _carry(self, sock: socket.socket, pairs: dict[socket.socket, socket.socket]) -> None:
        data, other = b"", pairs[sock]
        with suppress(OSError):
            data = sock.recv(1 << 16)
            other.sendall(data)
        self.carried += len(data)
        if not data:
            for end in (sock, other):
                pairs.pop(end, None)
                end.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()
        self._listener.close()


def up_and_down(launch: Launch, folder: Path, seconds: float) -> None:
    """Two miners on a line that is up for a second and down for half of one; both register names all the while."""
    port = free_port()
    one = launch(folder / "one", p2p=f"127.0.0.1:{port}").wait()
    with Line(port) as line:
        two = launch(folder / "two", "--peer", f"127.0.0.1:{line.port}").wait()
        accepted: list[str] = []
        start, states = time.monotonic(), set()
        while time.monotonic() < start + seconds:
            line.mend()
            eventually(lambda: bool(two.call("getpeerinfo")), "they find each other again")
            for node in (one, two):
                name = f"name-{len(accepted)}"
                node.call("queueoperation", drafts(node, name, len(accepted) + 1))
                accepted.append(name)
            states.add(chain_info(two)["sync"])
            line.cut()
            eventually(lambda: not two.call("getpeerinfo"), "the line is cut")
            states.add(chain_info(two)["sync"])
        line.mend()
        eventually(lambda: tips(one, two) == 1, "they agree on one chain")
        for name in accepted:
            eventually(lambda: knows(one, name) and knows(two, name), f"{name} is everywhere")  # noqa: B023
        print(f"\n{line.cuts} cuts, {len(accepted)} names, {line.carried / 1e3:.0f} kB, status said {sorted(states)}")
        assert "no peers" in states or "looking for peers" in states
        assert one.call("listbanned") == two.call("listbanned") == []
        assert all(node.call("checkchain")["ok"] for node in (one, two))


def test_a_line_that_goes_up_and_down(launch: Launch, tmp_path: Path) -> None:
    up_and_down(launch, tmp_path, 2)


@pytest.mark.slow
def test_a_line_that_goes_up_and_down_for_a_minute(launch: Launch, tmp_path: Path) -> None:
    up_and_down(launch, tmp_path, 60)


# --- clocks ------------------------------------------------------------------------------------------------------


@pytest.fixture
def watchful_network(tmp_path: Path) -> str:
    """As dev, but with a limit to how far a block may be ahead of the clock, as mesh has it."""
    table = json.loads(params._genesis_text())["dev"]
    table["policy"]["future_limit"] = 600
    file = tmp_path / "watchful.json"
    file.write_text(json.dumps(table))
    return str(file)


@pytest.mark.parametrize("year", [pytest.param(1970, marks=pytest.mark.slow), 2040])
def test_a_clock_that_stands_elsewhere(launch: Launch, tmp_path: Path, watchful_network: str, year: int) -> None:
    """Three peers with a right clock: the node says that its own is wrong, follows them, and loses nothing."""
    network, ports = ("--network", watchful_network), [free_port() for _ in range(3)]
    ahead = calendar.timegm((year, 6, 1, 0, 0, 0)) - time.time()
    right = [launch(tmp_path / "node-0", *network, p2p=f"127.0.0.1:{ports[0]}")]
    joined = ("--peer", f"127.0.0.1:{ports[0]}")
    right += [
        launch(tmp_path / f"node-{number}", *network, *joined, p2p=f"127.0.0.1:{ports[number]}") for number in (1, 2)
    ]
    for node in right:
        node.wait()
    peers = [word for port in ports for word in ("--peer", f"127.0.0.1:{port}")]
    wrong = launch(tmp_path / "wrong", *network, *peers, clock=ahead).wait()
    eventually(lambda: "clock-offset" in alarms(wrong), "it says that its clock is wrong")
    eventually(lambda: ("clock" in alarms(wrong)) == (year == 1970), "and whether it is before the chain's time")
    wrong.call("queueoperation", drafts(wrong, "mine", 1))
    right[1].call("queueoperation", drafts(right[1], "yours", 2))
    for node in (*right, wrong):
        for name in ("mine", "yours"):
            eventually(lambda: knows(node, name), f"{name} is everywhere")  # noqa: B023 - used at once
    eventually(lambda: tips(*right, wrong) == 1, "they agree")
    assert not chain_info(wrong)["initialblockdownload"]
    assert abs(chain_info(right[0])["time"] - time.time()) < 3600
    assert all("clock-offset" not in alarms(node) for node in right)
    assert all(node.call("listbanned") == [] for node in (*right, wrong))
    assert wrong.stop() == 0
