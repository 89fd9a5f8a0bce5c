"""Reading names over the real ledger."""

from itertools import count
from pathlib import Path

import pytest

from meshchain.crypto.address import node_address
from meshchain.ledger import operations, record_json
from meshchain.ledger.operations import Commit, Renew, Revoke, Transfer, Update
from meshchain.ledger.proof import verify_proof
from meshchain.rpc.jsonrpc import Dispatcher
from tests.rpc.caller import Caller, caller
from tests.rpc.ledger_node import LedgerNode, small_network
from tests.rpc.people import ALICE, BOB, hosted


def test_name_show_has_namecoins_fields_and_ours(rpc: Caller, node: LedgerNode) -> None:
    shown = rpc.result("name_show", "alice")
    entry = node.view().entry("alice")
    assert entry is not None
    block = node.chain.view().block_at(2)
    assert block is not None
    assert shown == {
        "name": "alice",
        "value": record_json.to_json(hosted(node, ALICE, "alice", "eeee::1")),
        "txid": node.opid(block.operations[0]).hex(),
        "address": ALICE.key.hex(),
        "height": 2,
        "expires_in": 1000,
        "expired": False,
        "ip6": "eeee::1",
        "owner": ALICE.key.hex(),
        "seq": 0,
        "reg": entry.reg.hex(),
        "status": "active",
        "registered": 2,
        "expires": 1002,
    }
    assert rpc.result("name_show", "alice.mesh") == shown


def test_a_derived_address_is_shown_where_none_was_claimed(rpc: Caller, node: LedgerNode) -> None:
    BOB.register(node, "bob")
    shown = rpc.result("name_show", "bob")
    assert shown["ip6"] == rpc.result("mesh_identity")["ip6"] == shown["value"]["hosts"][0]["ip6"]
    assert node_address(bytes.fromhex(shown["value"]["hosts"][0]["key"])) == node.identity().ip6


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [
        ("nobody", -4, "name-not-found"),
        ("", -5, "name-length"),
        (".mesh", -5, "name-length"),
        ("Alice", -5, "name-alphabet"),
        ("alice.mesh.mesh", -5, "name-alphabet"),
        ("-alice", -5, "name-edge-hyphen"),
        ("al--ice", -5, "name-double-hyphen"),
        ("a" * 64, -5, "name-length"),
        ("a" * 254, -32602, "bad-params"),
        (7, -32602, "bad-params"),
        (None, -32602, "bad-params"),
    ],
)
def test_wrong_names_say_which_rule(rpc: Caller, name: object, code: int, word: str) -> None:
    error = rpc.error("name_show", name)
    assert (error["code"], error["data"]["code"]) == (code, word)


def test_through_grace_to_absence(tmp_path: Path) -> None:
    node = LedgerNode(tmp_path, small_network(expiry=20, grace=4, commit_life=5))
    rpc = caller(node)
    ALICE.register(node, "alice")
    while node.view().height < 22:
        node.mine()
    shown = rpc.result("name_show", "alice")
    assert (shown["status"], shown["expired"], shown["expires_in"]) == ("grace", True, 0)
    assert rpc.error("name_show", "alice", {"allowExpired": False})["data"] == {"code": "name-expired", "expires": 22}
    assert [form["name"] for form in rpc.result("name_scan")] == ["alice"]
    for _ in range(4):
        node.mine()
    assert rpc.error("name_show", "alice")["data"]["code"] == "name-not-found"
    assert rpc.result("name_history", "alice")[0]["expired"]


def test_revoked_names_have_no_address(rpc: Caller, node: LedgerNode) -> None:
    reg = rpc.result("name_show", "alice")["reg"]
    ALICE.put(node, Revoke(name="alice", reg=bytes.fromhex(reg), seq=4))
    shown = rpc.result("name_show", "alice")
    assert (shown["status"], shown["ip6"], shown["seq"]) == ("revoked", None, 4)
    assert shown["value"]["hosts"]
    assert rpc.error("verifymessage", "alice", "00" * 64, "x")["data"]["code"] == "name-not-found"


def test_history_replays_every_operation(rpc: Caller, node: LedgerNode) -> None:
    entry = node.view().entry("alice")
    assert entry is not None
    ALICE.put(node, Update(name="alice", reg=entry.reg, seq=5, record={"dns": []}))
    ALICE.put(node, Renew(name="alice", reg=entry.reg, expires=entry.expires))
    ALICE.put(node, Transfer(name="alice", reg=entry.reg, seq=6, new_owner=BOB.key))
    history = rpc.result("name_history", "alice.mesh")
    assert [(step["kind"], step["seq"], step["expires"], step["height"]) for step in history] == [
        ("reveal", 0, 1002, 2),
        ("update", 5, 1002, 3),
        ("renew", 5, 1004, 4),
        ("transfer", 6, 1004, 5),
    ]
    shown = rpc.result("name_show", "alice")
    for member in ("value", "txid", "owner", "address", "seq", "reg", "expires", "height", "expires_in", "expired"):
        assert history[-1][member] == shown[member], member
    assert history[1]["value"] == {"dns": []}
    assert rpc.error("name_history", "bob")["data"]["code"] == "name-not-found"


def test_scan_pages_through_everything_exactly_once(rpc: Caller, node: LedgerNode) -> None:
    names = sorted(["a", "a-b", "a0", "ab", "abc", "b", "z9", "alice-1", "alicea", "alice0"])
    BOB.register(node, *names, record={})
    expected = sorted([*names, "alice"])
    for size in (1, 2, 3, 20):
        seen: list[str] = []
        while page := rpc.result("name_scan", f"{seen[-1]}-" if seen else "", size):
            assert len(page) <= size
            seen += [form["name"] for form in page]
        assert seen == expected
    assert [form["name"] for form in rpc.result("name_scan", "alice0.mesh", 2)] == ["alice0", "alicea"]
    assert rpc.result("name_scan", "", 0) == []
    assert rpc.result("name_scan", "~") == []


@pytest.mark.parametrize("reason", ["scan-too-long", "stopping"])
def test_scans_end_when_they_must(rpc: Caller, node: LedgerNode, reason: str) -> None:
    """A clock that goes on by one at each look, and six names or operations to look at."""
    BOB.register(node, "a", "b", "c", "d", "e", record={})
    for seq in range(1, 7):
        entry = node.view().entry("a")
        assert entry is not None
        BOB.put(node, Update(name="a", reg=entry.reg, seq=seq, record={}))
    rpc.dispatcher = Dispatcher(
        rpc.table, node, clock=count().__next__, scan_s=5, stopping=lambda: reason == "stopping"
    )
    for method, params in (
        ("name_scan", ("", 9, {"regexp": "x"})),
        ("name_list", (None, {"owners": []})),
        ("name_history", ("a",)),
    ):
        assert rpc.error(method, *params)["data"]["code"] == reason
    if reason != "stopping":
        assert len(rpc.result("name_scan", "", 2)) == 2


def test_scan_filters(rpc: Caller, node: LedgerNode) -> None:
    BOB.register(node, "bob", "alba", record={})

    def names(*params: object) -> list[str]:
        return [form["name"] for form in rpc.result("name_scan", *params)]

    assert names("", 10, {"prefix": "al"}) == ["alba", "alice"]
    assert names("alc", 10, {"prefix": "al"}) == ["alice"]
    assert names("b", 10, {"prefix": "al"}) == []
    assert names("", 10, {"maxConf": 1}) == ["alba", "bob"]
    assert names("", 10, {"minConf": 2}) == ["alice"]
    assert names("", 1, {"minConf": 2}) == ["alice"]
    assert names("", 10, {"minConf": 2, "maxConf": 2}) == []
    assert names("", 10, {"regexp": "al|^b"}) == ["alba", "alice", "bob"]
    assert names("", 10, {"regexp": "a$"}) == ["alba"]
    assert rpc.error("name_scan", "", 1, {"regexp": "("})["data"]["code"] == "regexp"


@pytest.mark.parametrize("params", [("", -1), ("", 5001), (1,), ("", 1, {"regex": "a"}), ("", True), ("", 1, [], 4)])
def test_scan_refuses_wrong_shapes(rpc: Caller, params: tuple[object, ...]) -> None:
    assert rpc.error("name_scan", *params)["code"] == -32602


def test_list_by_owners_and_by_queue(rpc: Caller, node: LedgerNode) -> None:
    BOB.register(node, "bob", "bobby", record={})

    def names(*params: object) -> list[str]:
        return [form["name"] for form in rpc.result("name_list", *params)]

    bob, alice = BOB.key.hex(), ALICE.key.hex()
    assert names(None, {"owner": bob}) == ["bob", "bobby"]
    assert names("bobby.mesh", {"owner": bob}) == ["bobby"]
    assert names(None, {"owners": [bob, alice]}) == ["alice", "bob", "bobby"]
    assert names(None, {"owners": []}) == []
    assert names(None, {"owner": alice.upper()}) == ["alice"]
    assert names() == []
    entry = node.view().entry("alice")
    assert entry is not None
    renewal = ALICE.sign(node, Renew(name="alice", reg=entry.reg, expires=entry.expires))
    rpc.result("queueoperation", operations.encode(renewal).hex())
    assert names() == names("alice") == ["alice"]
    assert names("bob") == []
    assert rpc.error("name_list", None, {"owner": "02"})["code"] == -32602


def test_pending_shows_what_waits(rpc: Caller, node: LedgerNode) -> None:
    entry = node.view().entry("alice")
    assert entry is not None
    update = node.stamped(ALICE.sign(node, Update(name="alice", reg=entry.reg, seq=1, record={"x": b"\x01"})))
    commit = node.stamped(Commit(commitment=bytes(32)))
    sent = [rpc.result("sendoperation", operations.encode(op).hex()) for op in (update, commit)]
    (shown,) = rpc.result("name_pending")
    assert (shown["op"], shown["name"], shown["txid"], shown["value"]) == (
        "update",
        "alice",
        sent[0],
        {"x": {"$bytes": "01"}},
    )
    assert rpc.result("name_pending", "alice.mesh") == [shown]
    assert rpc.result("name_pending", "bob") == []
    assert rpc.result("getrawmempool") == sent
    assert rpc.result("getrawmempool", True)[sent[1]]["kind"] == "commit"


@pytest.mark.parametrize("name", ["alice", "bob", "zz"])
def test_proofs_lead_to_the_root(rpc: Caller, node: LedgerNode, name: str) -> None:
    BOB.register(node, "zz", record={})
    shown = rpc.result("name_proof", name)
    assert shown["root"] == rpc.result("getblockheader", shown["height"])["stateroot"]
    proven = verify_proof(bytes.fromhex(shown["proof"]), bytes.fromhex(shown["root"]), name)
    assert proven == node.view().entry(name)
    assert shown["present"] is (proven is not None)


def test_commitments(rpc: Caller, node: LedgerNode) -> None:
    node.waiting.append(node.stamped(Commit(commitment=b"\xcc" * 32)))
    node.mine()
    node.mine()
    assert rpc.result("name_commitment", "CC" * 32) == {
        "commitment": "cc" * 32,
        "height": 3,
        "used": False,
        "reveal_from": 4,
        "expires_in": 99,
    }
    assert rpc.error("name_commitment", "00" * 32)["code"] == -4
    used = operations.commitment(node.chain.genesis_id, bytes(32), ALICE.key, 0, "alice")
    assert rpc.result("name_commitment", used.hex())["used"] is True


def test_while_syncing_names_answer_how_far_and_nothing_else(rpc: Caller, node: LedgerNode) -> None:
    node.synced = False
    calls: dict[str, tuple[object, ...]] = {
        "name_show": ("alice",),
        "name_scan": (),
        "name_history": ("alice",),
        "name_list": (),
        "name_pending": (),
        "name_proof": ("alice",),
        "name_commitment": ("00" * 32,),
        "name_new": ("bob", {"owner": BOB.key.hex()}),
        "name_firstupdate": ("bob", "00" * 32, None, {}, {"owner": BOB.key.hex()}),
        "name_update": ("alice",),
        "verifymessage": ("alice", "00" * 64, "x"),
    }
    for method, params in calls.items():
        error = rpc.error(method, *params)
        assert error["code"] == -28, method
        assert error["data"] == {"code": "syncing", "height": 2, "target": 52}
    info = rpc.result("getblockchaininfo")
    assert (info["initialblockdownload"], info["blocks"], info["headers"]) == (True, 2, 52)
