"""The zone broadcast and multicast groups between real hosts: a – b – c, on links without IP."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen
from typing import Any, Final

import pytest

from tests.netns.host import Host, needs_root
from tests.netns.meshes import Mesh
from tests.waiting import PATIENCE, eventually

pytestmark = [*needs_root, pytest.mark.slow]

BROADCAST: Final = "ff18:eeee::1"
GROUP: Final = "ff18:eeee::42"
PORT: Final = 5000

LISTENER: Final = """
import json, socket, struct, sys
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.bind(("::", int(sys.argv[1])))
for group in sys.argv[2:]:
    member = socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", socket.if_nametoindex("mesh0"))
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
print(json.dumps("ready"), flush=True)
while True:
    data, source = sock.recvfrom(4096)
    print(json.dumps([len(data), source[0]]), flush=True)
    sock.sendto(data[:1], source)
    if data == b"end":
        break
"""
"""Says what it hears, answers it with its first byte, and ends when it is told."""

SPEAKER: Final = """
import json, socket, sys
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.settimeout(float(sys.argv[4]))
sock.sendto(b"x" * int(sys.argv[3]), (sys.argv[1], int(sys.argv[2])))
answers = []
try:
    while len(answers) < int(sys.argv[5]):
        answers.append(sock.recvfrom(4096)[1][0])
except TimeoutError:
    pass
print(json.dumps(sorted(answers)))
"""
"""One datagram; the addresses that answer within so many seconds, or until so many have."""

ENDER: Final = "import socket; socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b'end', ('::1', {port}))"


@contextmanager
def listening(mesh: Mesh, groups: dict[str, tuple[str, ...]]) -> Iterator[dict[str, "Popen[bytes]"]]:
    processes: dict[str, Popen[bytes]] = {}
    try:
        for name, joined in groups.items():
            processes[name] = mesh.hosts[name].start(sys.executable, "-c", LISTENER, str(PORT), *joined, stdout=PIPE)
            assert read(processes[name]) == "ready"
        yield processes
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def read(process: "Popen[bytes]") -> Any:  # noqa: ANN401 - any JSON
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def say(host: Host, group: str, size: int, answers: int, patience: float = 30.0) -> list[str]:
    """Who has answered, waiting for so many answers."""
    arguments = (group, str(PORT), str(size), str(patience), str(answers))
    found: list[str] = json.loads(host.run(sys.executable, "-c", SPEAKER, *arguments))
    return found


def heard(mesh: Mesh, processes: dict[str, "Popen[bytes]"]) -> dict[str, list[list[Any]]]:
    """All that the listeners have got."""
    found: dict[str, list[list[Any]]] = {}
    for name, process in processes.items():
        mesh.hosts[name].run(sys.executable, "-c", ENDER.format(port=PORT))
        output = process.communicate(timeout=PATIENCE)[0]
        found[name] = [line for line in map(json.loads, output.splitlines()) if line[1] != "::1"]
    return found


@pytest.mark.parametrize("size", [100, 3000])
def test_a_broadcast_reaches_every_host_once_and_answers_come_back(line: Mesh, size: int) -> None:
    """Also its sender, and also where the kernel had to fragment it."""
    addresses = sorted(node.address for node in line.nodes.values())
    with listening(line, {"a": (), "b": (), "c": ()}) as processes:
        assert say(line.hosts["a"], BROADCAST, size, answers=3) == addresses
        sender = line.nodes["a"].address
        assert heard(line, processes) == {name: [[size, sender]] for name in "abc"}


def test_a_group_reaches_its_members_alone(line: Mesh) -> None:
    """b is between them and no member; c's kernel has told its router by MLD."""
    member = line.nodes["c"].address
    with listening(line, {"b": (), "c": (GROUP,)}) as processes:
        eventually(lambda: say(line.hosts["a"], GROUP, 50, 1, patience=1.0) == [member], "c answers")
        answered = say(line.hosts["a"], GROUP, 51, answers=1)
        found = heard(line, processes)
    assert answered == [member]
    assert found["b"] == []
    assert found["c"].count([51, line.nodes["a"].address]) == 1
