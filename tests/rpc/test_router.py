"""The methods about the router, over a real one's answers: every result is checked against its schema by ``rpc``."""

from ipaddress import IPv6Address

import pytest

from meshchain.ledger.operations import Revoke
from tests.rpc.caller import Caller
from tests.rpc.ledger_node import LedgerNode
from tests.rpc.people import ALICE, settle_bob


@pytest.fixture(autouse=True)
def bob(node: LedgerNode) -> None:
    settle_bob(node)


def word(rpc: Caller, *call: object) -> str:
    method, *params = call
    assert isinstance(method, str)
    return str(rpc.error(method, *params)["data"]["code"])


def test_what_names_and_addresses_mean(rpc: Caller, node: LedgerNode) -> None:
    assert node.router is not None
    bob, phone = (node.router.net[name] for name in "db")
    assert rpc.result("mesh_resolve", "alice.mesh")["ip6"] == "eeee::1"
    found = rpc.result("mesh_resolve", "Bob")
    assert found == {"name": "bob", "ip6": str(IPv6Address(bob.env.identity.address)), "key": bob.key.hex(), "zone": 0}
    assert rpc.result("mesh_resolve", "phone.bob.mesh.")["key"] == phone.key.hex()
    by_claim = rpc.result("mesh_resolve", "eeee:0::1")
    assert (by_claim["name"], by_claim["ip6"]) == ("alice", "eeee::1")
    assert rpc.result("mesh_resolve", "eeee:1::1") == {"name": None, "ip6": "eeee:1::1", "key": None, "zone": None}


def test_what_is_not_there(rpc: Caller, node: LedgerNode) -> None:
    cases = {
        "carol": "name-not-found",
        "tablet.bob": "host-not-found",
        "eeee::2": "address-not-found",
        "fe80::1": "not-mesh",
        "::x": "bad-address",
        "ex*mple": "name-alphabet",
        "": "name-length",
        ".mesh": "name-length",
    }
    for target, code in cases.items():
        for method in ("mesh_resolve", "mesh_ping", "mesh_traceroute"):
            assert word(rpc, method, target) == code
    assert rpc.error("mesh_resolve", "carol")["code"] == -4
    assert rpc.error("mesh_resolve", "fe80::1")["code"] == -5
    ALICE.put(node, _revoke(node))
    assert word(rpc, "mesh_resolve", "alice") == "name-not-found"


def _revoke(node: LedgerNode) -> Revoke:
    entry = node.view().entry("alice")
    assert entry is not None
    return Revoke(name="alice", reg=entry.reg, seq=entry.seq + 1)


def test_names_wait_for_sync_and_addresses_do_not(rpc: Caller, node: LedgerNode) -> None:
    node.synced = False
    assert word(rpc, "mesh_ping", "bob") == "syncing"
    assert rpc.result("mesh_ping", "eeee::1")["problem"] is None


def test_lists(rpc: Caller) -> None:
    assert [row["name"] for row in rpc.result("mesh_neighbours")] == ["b"]
    assert [row["name"] for row in rpc.result("mesh_routes")] == ["b", "c", "d"]
    assert [row["name"] for row in rpc.result("mesh_routes", 1, 1)] == ["c"]
    assert rpc.result("mesh_routes", 3) == []
    assert rpc.result("mesh_sessions") == []
    assert rpc.result("mesh_status")["addresses"][0] == "eeee::1"
    assert word(rpc, "mesh_routes", 0, 501) == "bad-params"


def test_ping(rpc: Caller, node: LedgerNode) -> None:
    answer = rpc.result("mesh_ping", "bob", {"seq": 3, "size": 0})
    assert (answer["name"], answer["problem"], answer["rtt_ms"], answer["hops_there"]) == ("bob", None, 6.0, 3)
    assert (answer["seq"], answer["size"]) == (3, 0)
    assert node.router is not None
    node.router.net["d"].delivered = lambda packet: None
    assert rpc.result("mesh_ping", "bob", {"timeout": 0.2})["problem"] == "timeout"


def test_traceroute(rpc: Caller, node: LedgerNode) -> None:
    assert node.router is not None
    answer = rpc.result("mesh_traceroute", "bob")
    assert answer["whole"]
    assert len(answer["forward"]["steps"]) == len(answer["reverse"]["steps"]) == 4
    node.router.net["c"].on_probe = lambda packet, _ingress: packet
    answer = rpc.result("mesh_traceroute", "bob", {"reverse": False})
    assert [step["kind"] for step in answer["forward"]["steps"]] == ["hop", "hop", "gap", "hop"]
    assert word(rpc, "mesh_traceroute", "eeee:1::1") == "no-route"
    assert rpc.error("mesh_traceroute", "eeee:1::1")["code"] == -4


def test_without_a_router(rpc: Caller, node: LedgerNode) -> None:
    node.router = None
    for method in ("mesh_status", "mesh_neighbours", "mesh_routes", "mesh_sessions"):
        assert rpc.error(method)["code"] == -1
        assert word(rpc, method) == "router-off"
    assert word(rpc, "mesh_ping", "alice") == word(rpc, "mesh_traceroute", "alice") == "router-off"
