"""Real router processes, without root."""

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from random import Random
from subprocess import Popen

import pytest

from meshrouter.links.specs import Kind, LinkSpec
from meshrouter.process.channel import encode
from tests.router.process.played_node import PlayedNode, known_to_each_other, running, text, until


def loopback() -> Sequence[LinkSpec]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return [LinkSpec(kind=Kind.UDP_INTERFACE, name="udp:lo", interface="lo", port=port)]


def test_three_routers_of_one_machine_find_each_other() -> None:
    nodes = [PlayedNode(number) for number in (1, 2, 3)]
    known_to_each_other(*nodes)
    links = loopback()
    for node in nodes:
        node.start(links)
    with running(*nodes):
        until(lambda: all(node.neighbours() == 2 for node in nodes), *nodes)
        first, *others = nodes
        params = {"address": text(others[1].identity.address), "seq": 1, "size": 64, "timeout": 5}
        assert first.ask("ping", params, *others)["seq"] == 1
        (told,) = [each for each in first.said("neighbours")[-1]["list"] if each["key"] == others[0].identity.key.hex()]
        assert told["underlay"] == "127.0.0.1"


def test_frames_of_every_wrong_size_cost_counters_and_nothing_else() -> None:
    (spec,) = loopback()
    node = PlayedNode(1)
    node.start([LinkSpec(kind=Kind.UDP_LISTEN, name="listen", host="127.0.0.1", port=spec.port)])
    until(lambda: bool(node.said("ready")), node)
    random = Random(4)
    with running(node), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.connect(("127.0.0.1", spec.port))
        for kind in range(32):
            for size in (*range(80), 200, 1400, 9000, 65_000):
                stranger.send((bytes([1 << 5 | kind]) + random.randbytes(size))[:size])
            node.ask("neighbours", {})
        status = node.ask("status", {})
    assert sum(status["counters"].values()) > 32 * 80
    assert "loop-fault" not in status["counters"]


def test_what_a_terminal_sends_is_ignored_and_the_end_of_the_channel_is_not() -> None:
    node = PlayedNode(1)
    node.start([])
    until(lambda: bool(node.said("ready")), node)
    os.kill(node.process.pid, signal.SIGINT)
    assert node.ask("status", {})["links"] == []
    assert node.end() == 0


@pytest.mark.parametrize("first", [b"\0\0\0\2[]", b"\xff\xff\xff\xff", b"\0\0\0\2{}"])
def test_a_first_message_that_is_none_ends_it_with_a_word(first: bytes) -> None:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "meshrouter", "--fd", str(theirs.fileno())]
    with Popen(command, pass_fds=[theirs.fileno()], stderr=-1) as process, ours:
        theirs.close()
        ours.sendall(first)
        ours.shutdown(socket.SHUT_WR)
        assert process.stderr is not None
        assert process.stderr.read().startswith(b"router: ")
        assert process.wait(timeout=20) == 1


@pytest.mark.parametrize("last", [b"", encode({"type": "stop"})])
@pytest.mark.parametrize("options", [[], ["--tun"]])
def test_a_router_that_nobody_needs_ends_in_silence(options: list[str], last: bytes) -> None:
    """It was started ahead, and the node has found that it cannot run."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "meshrouter", "--fd", str(theirs.fileno()), *options]
    with Popen(command, pass_fds=[theirs.fileno()], stderr=-1) as process:
        theirs.close()
        ours.sendall(last)
        ours.close()
        assert process.communicate()[1] == b""
        assert process.wait(timeout=20) == 0


def test_wrong_use_is_said() -> None:
    with Popen([sys.executable, "-m", "meshrouter"], stderr=-1) as process:
        assert process.stderr is not None
        assert b"meshd starts it" in process.stderr.read()
    assert process.returncode == 3


def test_the_router_imports_no_event_loop() -> None:
    """Neither trio nor asyncio, nor pyroute2, which brings it: they cost memory and tempt to await."""
    program = "import sys, json, meshrouter.process.main; print(json.dumps(sorted(sys.modules)))"
    with Popen([sys.executable, "-c", program], stdout=-1) as process:
        assert process.stdout is not None
        loaded = json.load(process.stdout)
    assert not {"trio", "asyncio", "pyroute2"} & set(loaded)
