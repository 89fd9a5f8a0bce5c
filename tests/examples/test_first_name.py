"""``make run`` shows what it says, as root and without any right, its last lines hold, and nothing stays behind."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import dns.message
import dns.query
import pytest

from examples.first_name import namespaces
from meshchain.rpc.client.connection import Client
from tests.netns.host import Lab, needs_program, needs_root
from tests.netns.rights import powerless
from tests.waiting import eventually

_ROOT = Path(__file__).parents[2]
_END = "Ctrl-C ends both hosts"
_PATIENCE = 120.0
_NAME = '"name": "alice",'
_DIG = re.compile(r"^alice\.mesh\.\s.*\sAAAA\s+eeee:", re.MULTILINE)
_OK = "verdict       ok: the ledger vouches for this server"


def in_namespaces(test: Callable[[Path], None]) -> Callable[[Path], None]:
    """Needs root, and the programs that are shown."""
    for mark in (*needs_root, *map(needs_program, ("ping", "dig", "curl", "nft"))):
        test = mark(test)
    return test


class Show:
    """The program that ``make run`` starts, and what it has said."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, cwd=_ROOT, stdout=file, stderr=subprocess.STDOUT)

    @property
    def text(self) -> str:
        return self._log.read_text()

    def until(self, words: str) -> str:
        """All it has said once ``words`` are there."""

        def said() -> bool:
            assert self.process.poll() is None, self.text
            return words in self.text

        eventually(said, f"it says {words!r}", _PATIENCE)
        return self.text

    @property
    def folder(self) -> Path:
        found = re.search(r"^  cd (.*)$", self.text, re.MULTILINE)
        assert found is not None
        return Path(found[1])

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE)


@contextmanager
def show(folder: Path, *prefix: str) -> Iterator[Show]:
    made = Show([*prefix, sys.executable, "-B", "-m", "examples.first_name"], folder / "said")
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.end(signal.SIGTERM)


def of_run(show: Show) -> list[str]:
    """What it has in this machine's folders."""
    folders = (Path("/run/netns"), Path("/etc/netns"))
    mark = f"meshrun-{show.process.pid}-"
    return [
        str(each) for folder in folders if folder.is_dir() for each in folder.iterdir() if each.name.startswith(mark)
    ]


def typed(show: Show, *words: str) -> str:
    """One of the closing words' commands, in the folder that they name."""
    return subprocess.run(words, cwd=show.folder, check=True, capture_output=True, text=True, timeout=60).stdout


def from_outside(text: str) -> None:
    """Alice's node answers this machine's terminals, too."""
    exports = dict(word.split("=", 1) for word in shlex.split(text[text.index("export ") :].splitlines()[0])[1:])
    with closing(Client(exports["MESH_RPC"], None)) as client:
        address = client.call("name_show", "alice")["ip6"]
    found = re.search(r"dig @127.0.0.1 -p (\d+) ", text)
    assert found is not None
    query = dns.message.make_query("alice.mesh", "AAAA")
    answer = dns.query.udp(query, "127.0.0.1", timeout=20, port=int(found[1]))
    assert [str(record) for record in answer.answer[0]] == [address]


@in_namespaces
def test_with_root_programs_of_a_second_host_reach_alice(tmp_path: Path) -> None:
    with show(tmp_path, "env", f"TMPDIR={tmp_path}") as shown:
        text = shown.until(_END)
        assert text.startswith("two hosts, each a network namespace of its own")
        assert _NAME in text
        assert "3 packets transmitted, 3 received" in text
        assert _DIG.search(text)
        assert _OK in text
        assert len(re.findall(r"^hello from alice\.mesh to eeee:", text, re.MULTILINE)) == 2
        assert "hello from alice.mesh to eeee:" in typed(shown, "./bob", "curl", "http://alice.mesh/")
        from_outside(text)
        assert len(of_run(shown)) == 4
        folder = shown.folder
        assert shown.end(signal.SIGINT) == 0
    assert of_run(shown) == []
    assert not folder.exists()


@in_namespaces
def test_after_a_kill_nothing_runs_on_and_the_next_run_tidies_up(tmp_path: Path) -> None:
    with show(tmp_path, "env", f"TMPDIR={tmp_path}") as shown:
        shown.until("ready at height")
        assert shown.end(signal.SIGKILL) == -signal.SIGKILL
    left = of_run(shown)
    assert len(left) == 4
    eventually(lambda: not any(pids_in(Path(each).name) for each in left), "its programs end by themselves")
    namespaces.sweep()
    assert of_run(shown) == []


def pids_in(namespace: str) -> str:
    done = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def prefix() -> Iterator[tuple[str, ...]]:
    """What runs a command without rights; for root on a host of its own."""
    if os.geteuid() != 0:
        yield ()
        return
    with Lab() as lab:
        yield (*lab.host("terminal").command(), *powerless())


def node_of_alice(parent: int) -> int:
    """The process that listens for the other one's link."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    (found,) = (each for each in children if b"udp-listen" in Path(f"/proc/{each}/cmdline").read_bytes())
    return int(found)


@needs_program("curl")
def test_without_rights_two_nodes_on_loopback_and_one_that_dies(prefix: tuple[str, ...], tmp_path: Path) -> None:
    with show(tmp_path, *prefix) as shown:
        text = shown.until(_END)
        assert text.startswith("two nodes on this machine's loopback")
        assert _NAME in text
        assert "3 sent, 3 received, 0 % lost" in text
        assert _DIG.search(text) or "alice.mesh.  120  AAAA" in text
        assert _OK in text
        assert "hello from alice.mesh to 127.0.0.1" in text
        folder = shown.folder
        os.kill(node_of_alice(shown.process.pid), signal.SIGKILL)
        assert shown.process.wait(_PATIENCE) == 1
    assert not folder.exists()
    explained = shown.text[shown.text.index(_END) :]
    assert "That failed on alice's host: a program there has ended" in explained
    assert "event=ready" in explained
