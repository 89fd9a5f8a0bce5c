"""Nodes without any right: several in one place find each other over loopback, and say clearly what they cannot do.

As root in a namespace of its own, as a user without rights (or, where the interpreter is root's alone, as root without
capabilities); as anybody else right here, where other nodes of the ``dev`` network would only be more neighbours.
"""

import contextlib
import json
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshchain.rpc.client.connection import Client
from meshchain.rpc.client.errors import ClientError
from tests.netns.host import WHY_NOT, Host, Lab
from tests.netns.rights import powerless
from tests.waiting import eventually


class Place:
    """Where commands run without rights."""

    def __init__(self, lab: Lab | None, host: Host, *prefix: str) -> None:
        self.lab = lab
        self.host = host
        self.prefix = prefix

    def python(self, *arguments: str) -> tuple[str, ...]:
        return (*self.prefix, sys.executable, "-B", *arguments)


class Here(Host):
    """No namespace: this very machine."""

    def __init__(self) -> None:
        super().__init__("here", "")

    def command(self, *arguments: str) -> list[str]:
        return list(arguments)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        yield


@pytest.fixture
def place() -> Iterator[Place]:
    if os.geteuid() != 0:
        here = Here()
        yield Place(None, here)
        here.stop()
        return
    if WHY_NOT is not None:
        pytest.skip(WHY_NOT)
    with Lab() as lab:
        host = lab.host("terminals")
        yield Place(lab, host, *powerless())


class Terminal:
    """``meshd --scratch`` and what its first lines say of how to reach it."""

    def __init__(self, place: Place, folder: Path, *options: str) -> None:
        self._place = place
        self._out = folder / f"out{len(list(folder.iterdir()))}"
        self.log = self._out.with_suffix(".log")
        command = place.python("-m", "meshchain.cli.meshd", "--scratch", "--network", "dev", *options)
        with self._out.open("wb") as out, self.log.open("wb") as log:
            self.process = place.host.start(*command, stdout=out, stderr=log)
        said = eventually(self._exports, "it says how to reach it")
        self.environment = dict(assignment.split("=", 1) for assignment in said)

    def _exports(self) -> list[str]:
        assert self.process.poll() is None, self.log.read_text()
        lines = [line for line in self._out.read_text().splitlines() if line.startswith("export ")]
        return [word for line in lines for word in shlex.split(line)[1:]]

    def program(self, module: str, *arguments: str) -> str:
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        python = self._place.python("-m", module, *arguments)
        return self._place.host.run("env", "MESH_WALLET_PASSPHRASE=", *settings, *python)

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(self.program("meshchain.cli.meshctl", *arguments, "--json"))

    def call(self, method: str) -> Any:  # noqa: ANN401
        """What a read-only method says; None while it cannot be reached."""
        with self._place.host.inside(), contextlib.closing(Client(self.environment["MESH_RPC"], None)) as client:
            try:
                return client.call(method)
            except ClientError:
                return None

    def status(self) -> dict[str, Any]:
        """Of its router; with neither neighbours nor anything else while there is none."""
        return self.call("mesh_status") or {"neighbours": 0, "off": [], "links": []}


def test_three_terminals_find_each_other_and_gossip(place: Place, tmp_path: Path) -> None:
    terminals = [Terminal(place, tmp_path) for _ in range(3)]
    for each in terminals:
        eventually(lambda each=each: each.status()["neighbours"] >= 2, "two neighbours")  # type: ignore[misc]
    first, second, third = terminals
    other = second.call("mesh_identity")["ip6"]
    ping = first.json("ping", "-c", "2", other)
    assert (ping["sent"], ping["received"]) == (2, 2)
    assert {reply["hops_there"] for reply in ping["replies"]} == {1}
    trace = first.json("traceroute", other)
    assert trace["whole"]
    assert [step["ip6"] for step in trace["forward"]["steps"]] == [first.call("mesh_identity")["ip6"], other]
    third.program("wallet.main", "register", f"terminal{os.getpid()}", "--wait")
    height = third.call("getblockcount")
    assert height >= 2
    for each in (first, second):
        eventually(lambda each=each: each.call("getblockcount") >= height, "the blocks")  # type: ignore[misc]
    assert first.json("ping", "-c", "1", f"terminal{os.getpid()}.mesh")["received"] == 1
    status = first.status()
    assert status["tun"] is None
    assert "udp:lo" in [link["name"] for link in status["links"]]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes an Ethernet to be refused")
def test_what_needs_rights_is_said_and_the_rest_runs(place: Place, tmp_path: Path) -> None:
    assert place.lab is not None
    place.lab.cable(place.host, place.lab.host("end"), "wire", "end")
    options = ("--tun", "mesh7", "--link", "ethernet:wire", "--link", "udp:lo")
    node = Terminal(place, tmp_path, *options)
    other = Terminal(place, tmp_path)
    eventually(lambda: node.status()["neighbours"] >= 1, "a neighbour")
    status = node.status()
    off = {each["part"]: each["reason"] for each in status["off"]}
    tun = "may not make TUN devices: start the node as root or with CAP_NET_ADMIN, or with --tun off"
    assert off["tun-permission"] == tun
    assert off["ethernet:wire"] == "ethernet:wire: raw Ethernet needs root or CAP_NET_RAW; udp:wire needs neither"
    assert status["tun"] is None
    shown = node.program("meshchain.cli.meshctl", "status")
    assert "CAP_NET_ADMIN" in shown
    alarms = node.call("getnetworkinfo")["warnings"]
    assert any("CAP_NET_ADMIN" in str(alarm) for alarm in alarms)
    assert other.status()["off"] == []
