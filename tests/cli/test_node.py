"""meshd and meshctl as programs, from start to stop."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from meshchain.ledger import operations
from meshchain.ledger.operations import Commit

MESHD = [sys.executable, "-c", "from meshchain.cli.meshd import main; main()"]
MESHCTL = [sys.executable, "-c", "from meshchain.cli.meshctl import main; main()"]
SECONDS = 60
ALONE = ("--link", "none", "--tun", "off", "--dns", "off")
"""This machine's links and ports are nothing to these tests."""


@dataclass
class ScratchNode:
    process: subprocess.Popen[str]
    variables: dict[str, str]

    @property
    def datadir(self) -> Path:
        return Path(self.variables["MESH_DATADIR"])

    def meshctl(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MESHCTL, *argv],
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS,
        )  # fmt: skip


def start(*argv: str) -> ScratchNode:
    """A scratch node that has printed how to talk to it."""
    process = subprocess.Popen(
        [*MESHD, "--network", "dev", "--scratch", *ALONE, *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline(), process.stdout.readline()]
    assert lines[0].startswith("#")
    export, *assignments = shlex.split(lines[1])
    assert export == "export"
    return ScratchNode(process, dict(word.split("=", 1) for word in assignments))


@pytest.fixture
def scratch() -> Iterator[ScratchNode]:
    node = start("--dns-forward", "192.0.2.53")
    yield node
    node.process.kill()
    node.process.communicate()


def test_a_scratch_node_from_start_to_stop(scratch: ScratchNode, tmp_path: Path) -> None:
    assert scratch.meshctl("wait").returncode == 0
    assert json.loads(scratch.meshctl("rpc", "generate", "2", "--json").stdout)
    status = json.loads(scratch.meshctl("status", "--json").stdout)
    assert (status["chain"]["chain"], status["chain"]["blocks"]) == ("dev", 2)
    assert "height 2" in scratch.meshctl("status").stdout
    assert json.loads(scratch.meshctl("chain", "check", "--json").stdout)["ok"] is True
    assert json.loads(scratch.meshctl("proof", "nobody", "--json").stdout)["present"] is False
    _the_same_port_is_refused(scratch, tmp_path)
    _the_same_datadir_is_refused(scratch)
    assert scratch.meshctl("stop").stdout == "meshd is stopping\n"
    _, log = scratch.process.communicate(timeout=SECONDS)
    assert scratch.process.returncode == 0
    assert "no effect" not in log
    assert not scratch.datadir.exists()
    gone = scratch.meshctl("status", "--json")
    assert (gone.returncode, json.loads(gone.stdout)["error"]["code"]) == (2, "unreachable")


def _the_same_port_is_refused(node: ScratchNode, tmp_path: Path) -> None:
    address = node.variables["MESH_RPC"].removeprefix("http://")
    argv = ["--network", "dev", "--datadir", str(tmp_path), "--rpc", address, *ALONE]
    second = subprocess.run([*MESHD, *argv], capture_output=True, text=True, timeout=SECONDS)
    assert second.returncode == 1
    assert "Traceback" not in second.stderr
    assert f"process {node.process.pid}" in second.stderr.splitlines()[-1]


def _the_same_datadir_is_refused(node: ScratchNode) -> None:
    line = refused("--network", "dev", "--datadir", str(node.datadir))
    assert f"process {node.process.pid}" in line


def test_sigterm_stops_cleanly(scratch: ScratchNode) -> None:
    assert scratch.meshctl("wait").returncode == 0
    scratch.process.send_signal(signal.SIGTERM)
    scratch.process.communicate(timeout=SECONDS)
    assert scratch.process.returncode == 0
    assert not scratch.datadir.exists()


def test_ctrl_c_twice_stops_as_cleanly(scratch: ScratchNode) -> None:
    assert scratch.meshctl("wait").returncode == 0
    for _ in range(3):
        scratch.process.send_signal(signal.SIGINT)
    _, log = scratch.process.communicate(timeout=SECONDS)
    assert "Traceback" not in log
    assert scratch.process.returncode == 0
    assert not scratch.datadir.exists()


def test_a_registration_says_why_it_does_not_move() -> None:
    node = start("--mine", "off")
    try:
        assert node.meshctl("wait").returncode == 0
        commit = operations.encode(Commit(commitment=bytes(32))).hex()
        assert node.meshctl("rpc", "queueoperation", commit).returncode == 0
        while "pending" not in (shown := node.meshctl("queue").stdout):
            assert node.process.poll() is None
        assert "this node makes no blocks: mining is switched off (--mine off)" in shown
    finally:
        node.process.kill()
        node.process.communicate()


def test_sigterm_before_the_node_is_ready_leaves_nothing_behind(scratch: ScratchNode) -> None:
    scratch.process.send_signal(signal.SIGTERM)
    scratch.process.communicate(timeout=SECONDS)
    assert scratch.process.returncode == 0
    assert not scratch.datadir.exists()


@pytest.mark.slow
def test_another_networks_datadir_and_a_damaged_store(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [*MESHD, "--network", "dev", "--datadir", str(tmp_path), "--rpc", "127.0.0.1:0", *ALONE],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert first.stderr is not None
    assert any("event=ready" in line for line in first.stderr)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=SECONDS)
    assert first.returncode == 0
    table = json.loads(Path("genesis.json").read_text(encoding="utf-8"))["dev"]
    table["consensus"]["expiry"] += 1
    (tmp_path / "other.json").write_text(json.dumps(table))
    assert "Give the --network that" in refused("--network", str(tmp_path / "other.json"), "--datadir", str(tmp_path))
    (tmp_path / "dev" / "ledger" / "CURRENT").write_text("junk\n")
    assert "then move that folder away" in refused("--network", "dev", "--datadir", str(tmp_path))


def refused(*argv: str) -> str:
    """The last line of a meshd that cannot start."""
    done = subprocess.run(
        [*MESHD, *argv, "--rpc", "127.0.0.1:0", *ALONE], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_a_datadir_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refused("--network", "dev", "--datadir", str(tmp_path / "file"))


def test_ctrl_c_ends_a_waiting_client_quietly(tmp_path: Path) -> None:
    command = [*MESHCTL, "wait", "--rpc", "127.0.0.1:9", "--datadir", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as client:
        assert client.stderr is not None
        assert "no node answers" in client.stderr.readline()
        client.send_signal(signal.SIGINT)
        assert "Traceback" not in client.stderr.read()
    assert client.returncode == 130
