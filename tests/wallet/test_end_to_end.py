"""The installed program against a real node on LevelDB: a dev network in a scratch folder of its own."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from meshchain.rpc.client.connection import Client
from tests.wallet.program import DEADLINE, PROGRAM, Ended, environment, meshwallet, on_terminal, process
from wallet.remote import Json


@dataclass
class Node:
    datadir: Path
    url: str

    @property
    def cookie(self) -> Path:
        return self.datadir / "dev" / ".cookie"

    def run(self, folder: Path, *args: str) -> Ended:
        return meshwallet(folder, "--cookie", str(self.cookie), *args, rpc=self.url)

    def call(self, method: str, *args: object) -> Json:
        with closing(Client(self.url, self.cookie)) as client:
            return client.call(method, *args)


@contextmanager
def _started(*options: str) -> Iterator[Node]:
    """meshd --scratch; it prints its datadir and port first, and is stopped at the end."""
    command = [sys.executable, "-c", "from meshchain.cli.meshd import main; main()", "--network", "dev", "--scratch"]
    command += ["--link", "none"]
    running = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stderr is not None
    try:
        values: dict[str, str] = {}
        while "MESH_RPC" not in values:
            line = running.stdout.readline()
            assert line, running.stderr.read()
            values |= dict(word.split("=", 1) for word in line.split() if "=" in word)
        while "event=ready" not in (line := running.stderr.readline()):
            assert line, "the node ended before it was ready"
        yield Node(Path(values["MESH_DATADIR"]), values["MESH_RPC"])
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=DEADLINE)
    assert running.returncode == 0


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with _started() as started:
        yield started


def test_a_first_register_on_a_terminal_shows_the_words_once(node: Node, tmp_path: Path) -> None:
    args = ["register", "terminal.mesh", "--wait", "--json", "--cookie", str(node.cookie)]
    done = on_terminal(tmp_path, args, [("Passphrase for the new wallet", "")], rpc=node.url)
    assert done.code == 0, done
    document = json.loads(done.out)
    assert (document["name"], document["status"]) == ("terminal", "registered")
    assert document["ip6"].startswith("eeee:")
    words = node.run(tmp_path, "words").out.strip()
    assert done.err.count(words) == 1
    again = on_terminal(tmp_path, args, [], rpc=node.url)
    assert (again.code, json.loads(again.out)["status"]) == (0, "registered")
    assert words not in again.err


def test_register_set_transfer_restore(node: Node, tmp_path: Path) -> None:
    alice, bob, paper = tmp_path / "alice", tmp_path / "bob", tmp_path / "paper"
    assert node.run(alice, "register", "alice", "--wait", "--claim", "eeee::a", "--json").document["ip6"] == "eeee::a"
    assert node.run(bob, "create").code == 0
    key = node.run(bob, "address").out.strip()
    assert node.run(alice, "register", "gift", "--no-host").code == 0
    assert node.run(alice, "transfer", "gift", key, "--wait").code == 0, "right after register"
    assert node.run(alice, "set", "alice", "TXT", "hello").code == 0
    assert node.run(alice, "set", "alice", "A", "192.0.2.1", "--label", "www", "--wait").code == 0
    assert node.run(alice, "transfer", "alice", "--new-key", "--wait").code == 0
    assert node.run(alice, "renew", "alice.mesh", "--wait", "--json").document["state"] == "confirmed"
    words = node.run(alice, "words").out
    restored = meshwallet(paper, "--cookie", str(node.cookie), "restore", "--json", stdin=words, rpc=node.url)
    assert restored.document["names"] == ["alice"]
    shown = node.run(paper, "show", "alice", "--json").document
    assert (shown["mine"], shown["ip6"]) == (True, "eeee::a")
    assert shown["value"]["dns"] == [["", "TXT", 3600, '"hello"'], ["www", "A", 3600, "192.0.2.1"]]
    assert [row["name"] for row in node.run(bob, "list", "--json").document["names"]] == ["gift"]
    assert node.run(bob, "revoke", "gift", "--yes", "--wait").code == 0
    assert node.run(bob, "set", "gift", "A", "192.0.2.1", "--json").error == (1, "name-revoked")
    assert node.run(bob, "register", "alice", "--json").error == (1, "name-taken")


def test_signatures_verify_at_the_node(node: Node, tmp_path: Path) -> None:
    assert node.run(tmp_path, "register", "signer", "--wait").code == 0
    signature = node.run(tmp_path, "sign", "signer", "héllo").out.strip()
    assert node.call("verifymessage", "signer", signature, "héllo")
    assert not node.call("verifymessage", "signer", signature, "hello")


def test_hosts_by_the_nodes_own_identity_document(node: Node, tmp_path: Path) -> None:
    owner = node.run(tmp_path, "register", "hosted", "--no-host", "--wait", "--json").document["owner"]
    identity = json.dumps(node.call("signnodeproof", "hosted", owner))
    done = meshwallet(
        tmp_path,
        "--cookie",
        str(node.cookie),
        "host",
        "add",
        "hosted",
        "@",
        "-",
        "--wait",
        stdin=identity,
        rpc=node.url,
    )
    assert done.code == 0, done
    assert node.run(tmp_path, "show", "hosted", "--json").document["ip6"] == json.loads(identity)["ip6"]


def test_commands_at_once_all_arrive(node: Node, tmp_path: Path) -> None:
    """Separate processes on one wallet file: every record is there at the end."""
    assert node.run(tmp_path, "register", "busy", "--no-host", "--wait").code == 0

    def add(number: int) -> Ended:
        cookie = ("--cookie", str(node.cookie))
        return process(tmp_path, *cookie, "set", "busy", "TXT", f"n{number}", "--add", "--wait", rpc=node.url)

    with ThreadPoolExecutor(4) as pool:
        assert [ended.code for ended in pool.map(add, range(4))] == [0] * 4
    shown = node.run(tmp_path, "show", "busy", "--json").document
    assert sorted(entry[3] for entry in shown["value"]["dns"]) == ['"n0"', '"n1"', '"n2"', '"n3"']
    assert shown["seq"] == 4


def test_without_the_cookie_writing_is_refused_with_a_reason(node: Node, tmp_path: Path) -> None:
    refused = meshwallet(tmp_path, "register", "nobody", "--json", rpc=node.url)
    assert refused.error == (1, "cookie-required")
    assert f"there is no cookie at {tmp_path}/dev/.cookie" in refused.document["error"]["message"]


def test_another_network_is_noticed(node: Node, tmp_path: Path) -> None:
    assert node.run(tmp_path, "register", "alice", "--network", "test", "--json").error == (1, "wrong-network")


def test_waiting_ends_by_timeout_and_by_ctrl_c_and_the_node_goes_on(tmp_path: Path) -> None:
    with _started("--mine", "off") as idle:
        args = ("--cookie", str(idle.cookie), "register", "alice", "--wait")
        late = meshwallet(tmp_path, *args, "--timeout", "0.2", "--json", rpc=idle.url)
        assert late.error == (2, "wait-timeout")
        command = [sys.executable, *PROGRAM, "--network", "dev", "--datadir", str(tmp_path), "--rpc", idle.url, *args]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path))
        assert running.stderr is not None
        assert b"of alice.mesh" in running.stderr.readline(), "it watches by now"
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=DEADLINE)
        assert running.returncode == 130
        assert b"the node goes on by itself" in err
        assert {item["state"] for item in idle.call("listqueue")} <= {"queued", "pending"}
