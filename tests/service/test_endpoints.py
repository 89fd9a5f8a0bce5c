"""Where neighbours on our links take gossip."""

import socket

from meshchain.mesh.neighbour import MeshNeighbour
from meshchain.p2p.actions import Endpoint
from meshchain.service.endpoints import endpoint, neighbour_endpoints, text_of
from tests.ledger.kit import Node

KEY = Node(1).key
MESH = bytes.fromhex("eeee") + bytes(range(14))


def neighbour(underlay: str | None, *, tun: bool = True, port: int = 9337) -> MeshNeighbour:
    return MeshNeighbour(KEY, MESH, port, underlay, tun)


def test_over_the_mesh_where_both_have_a_tun_else_over_the_link() -> None:
    over_mesh, over_link = Endpoint(MESH, 9337), endpoint("192.0.2.1", 9337)
    assert neighbour_endpoints([neighbour("192.0.2.1")], tun=True) == {over_mesh: KEY}
    assert neighbour_endpoints([neighbour("192.0.2.1")], tun=False) == {over_link: KEY}
    assert neighbour_endpoints([neighbour("192.0.2.1", tun=False)], tun=True) == {over_link: KEY}
    assert neighbour_endpoints([neighbour(None)], tun=True) == {over_mesh: KEY}, "raw Ethernet"
    assert neighbour_endpoints([neighbour(None)], tun=False) == {}, "no way for TCP"
    assert neighbour_endpoints([neighbour("192.0.2.1", port=0)], tun=True) == {}, "takes no connections"
    assert neighbour_endpoints([neighbour("not an address")], tun=False) == {}


def test_link_local_addresses_keep_their_interface() -> None:
    number = socket.if_nametoindex("lo")
    found = endpoint("fe80::1%lo", 9337)
    assert found.scope == number
    assert text_of(found) == f"fe80::1%{number}"
    assert endpoint(text_of(found), 9337) == found
    assert endpoint("2001:db8::1%lo", 9337).scope == 0
    assert endpoint("fe80::1%gone", 9337).scope == 0
