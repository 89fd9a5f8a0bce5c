"""What the ledger decides holds on the wire: claimed addresses, transferred and revoked names."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.netns.host import Lab, needs_program, needs_root
from tests.netns.meshes import Mesh, line_options, mesh
from tests.netns.nodes import MeshNode
from tests.netns.traffic import connected, datagram_socket, echo_server, echoed
from tests.waiting import eventually

pytestmark = [*needs_root, needs_program("ping")]


@pytest.fixture
def line3(lab: Lab, registered: Path, tmp_path: Path) -> Iterator[Mesh]:
    lab.line("a", "b", "c")
    with mesh(lab, tmp_path, registered, line_options("ethernet", "a", "b", "c")) as made:
        yield made


def addresses(node: MeshNode) -> str:
    return node.host.run("ip", "-6", "addr", "show", "dev", "mesh0")


def test_a_claimed_address_is_reached_and_spoken_from(line3: Mesh) -> None:
    a, b, c = line3.of("a", "b", "c")
    c.register("short", "--claim", "eeee::1")
    eventually(lambda: "eeee::1/128" in addresses(c), "it is on the TUN")
    assert "deprecated" in addresses(c), "the derived one stays, for those who know it"
    for node in (a, b):
        eventually(partial(node.pings, "eeee::1"), "it is reached")
        assert node.pings(c.address)
    assert c.pings("eeee::1")
    assert a.ctl_json("ping", "-c", "1", "short.mesh")["ip6"] == "eeee::1"
    with datagram_socket(a.host, port=50) as server, datagram_socket(c.host) as client:
        client.sendto(b"who am I?", (a.address, 50))
        question, sender = server.recvfrom(100)
        assert (question, sender[0]) == (b"who am I?", "eeee::1")
        server.sendto(b"you", sender)
        assert client.recv(100) == b"you"
    assert not a.pings("eeee::2"), "nobody holds that one"


def test_a_transferred_name_makes_its_node_a_guest_and_connections_stay(line3: Mesh) -> None:
    a, b, c = line3.of("a", "b", "c")
    with echo_server(b.host, 22), connected(a.host, b.address, 22) as stream:
        assert a.pings(c.address)
        b.wallet("transfer", "b", key_of(c), "--wait")
        eventually(lambda: not b.is_member(), "it is a guest")
        eventually(lambda: not a.pings(c.address), "what is a guest carries nothing")
        assert echoed(stream, b"to the guest itself") == b"to the guest itself"
        assert c.pings(b.address)


def key_of(node: MeshNode) -> str:
    """To which others can transfer names."""
    return node.wallet("address").split()[-1]


def test_a_revoked_key_loses_sessions_and_forwarding_at_once(line3: Mesh) -> None:
    a, b, c = line3.of("a", "b", "c")
    assert a.pings(c.address)
    assert a.pings(b.address)
    b.wallet("revoke", "b", "--yes", "--wait")
    for node in (a, c):
        eventually(lambda node=node: node.neighbours() == 0, "nobody speaks with it")  # type: ignore[misc]
        assert "b" not in [session["name"] for session in node.call("mesh_sessions")]
    assert not a.pings(b.address)
    assert not a.pings(c.address)
    assert a.meshctl("show", "b", "--json")
