"""Writing names by hand through RPC: draft, sign, queue, block."""

from dataclasses import replace

import pytest

from meshchain import crypto
from meshchain.ledger import operations, record_json
from meshchain.ledger.operations import Update
from tests.rpc.caller import Caller, caller
from tests.rpc.ledger_node import LedgerNode
from tests.rpc.people import ALICE, BOB, Owner, hosted


def signature(owner: Owner, draft: dict[str, str]) -> str:
    return crypto.sign_ecdsa(owner.private, bytes.fromhex(draft["digest"])).hex()


def test_registration_by_hand(rpc: Caller, node: LedgerNode) -> None:
    options = {"owner": BOB.key.hex()}
    txid, salt = rpc.result("name_new", "bob.mesh", options)
    early = rpc.error("name_firstupdate", "bob", salt, txid, {}, options)
    assert early["data"]["code"] == "commitment-missing"
    node.mine()
    assert rpc.result("listqueue")[0]["txid"] == txid
    value = record_json.to_json(hosted(node, BOB, "bob"))
    draft = rpc.result("name_firstupdate", "bob", salt, txid, value, options)
    assert draft["kind"] == "reveal"
    assert draft["options"] == {"owner": BOB.key.hex(), "born": 0}
    signed = {**draft["options"], "signature": signature(BOB, draft)}
    assert rpc.result("name_firstupdate", "bob", salt, txid, value, signed) == draft["digest"]
    node.mine()
    shown = rpc.result("name_show", "bob")
    assert (shown["owner"], shown["txid"], shown["value"]) == (BOB.key.hex(), draft["digest"], value)


def test_each_reservation_has_its_own_salt(rpc: Caller) -> None:
    options = {"owner": BOB.key.hex()}
    first, second = rpc.result("name_new", "bob", options), rpc.result("name_new", "bob", options)
    assert first[0] != second[0]
    assert first[1] != second[1]
    given = {**options, "salt": "07" * 32, "born": 0}
    assert rpc.result("name_new", "bob", given)[1] == "07" * 32


def test_a_foreign_txid_is_noticed(rpc: Caller, node: LedgerNode) -> None:
    options = {"owner": BOB.key.hex()}
    txid, salt = rpc.result("name_new", "bob", options)
    node.mine()
    error = rpc.error("name_firstupdate", "bob", salt, "00" * 32, {}, options)
    assert (error["code"], error["data"]) == (-5, {"code": "txid-mismatch", "txid": txid})


def test_update_renew_and_transfer(rpc: Caller, node: LedgerNode) -> None:
    value = {"dns": [["www", "A", 60, "192.0.2.1"]], "note": {"$bytes": "00ff"}}
    update = rpc.result("name_update", "alice", value)
    assert update["options"]["seq"] == 1
    signed = {**update["options"], "signature": signature(ALICE, update)}
    assert rpc.result("name_update", "alice.mesh", value, signed) == update["digest"]
    node.mine()
    shown = rpc.result("name_show", "alice")
    assert (shown["value"], shown["ip6"]) == (value, None)

    renew = rpc.result("name_update", "alice")
    assert (renew["kind"], renew["options"]["expires"]) == ("renew", 1002)
    rpc.result("name_update", "alice", None, {**renew["options"], "signature": signature(ALICE, renew)})
    node.mine()
    assert rpc.result("name_show", "alice")["expires"] == 1004

    transfer = rpc.result("name_update", "alice", None, {"new_owner": BOB.key.hex()})
    rpc.result("name_update", "alice", None, {**transfer["options"], "signature": signature(ALICE, transfer)})
    node.mine()
    shown = rpc.result("name_show", "alice")
    assert (shown["owner"], shown["value"], shown["ip6"]) == (BOB.key.hex(), {}, None)


def test_seq_follows_what_waits_in_the_mempool(rpc: Caller, node: LedgerNode) -> None:
    entry = node.view().entry("alice")
    assert entry is not None
    waiting = node.stamped(ALICE.sign(node, Update(name="alice", reg=entry.reg, seq=9, record={})))
    rpc.result("sendoperation", operations.encode(waiting).hex())
    assert rpc.result("name_update", "alice", {})["options"]["seq"] == 10


def test_a_draft_is_the_operation_without_signature(rpc: Caller, node: LedgerNode) -> None:
    draft = rpc.result("name_update", "alice", {}, {"seq": 7})
    decoded = operations.decode_draft(bytes.fromhex(draft["operation"]), node.params.consensus)
    assert isinstance(decoded, Update)
    assert (decoded.signature, decoded.seq, node.opid(decoded).hex()) == (b"", 7, draft["digest"])


@pytest.mark.parametrize(
    ("params", "code", "word"),
    [
        (("bob", {}), -4, "name-not-found"),
        (("alice", {}, {"new_owner": BOB.key.hex()}), -5, "value-and-new-owner"),
        (("alice", None, {"new_owner": "02" + "ff" * 32}), -5, "owner-key"),
        (("alice", {"hosts": [{"label": "", "key": "zz"}]}), -5, "record-json"),
        (("alice", {"a": 1.5}), -5, "record-json"),
        (("alice", {"hosts": [{"label": ""}]}), -5, "field-bytes"),
        (("alice", {"n": -1}), -5, "integer-range"),
        (("alice", {"big": "x" * 1600}), -26, "record-size"),
        (("alice", {}, {"signature": "00" * 64}), -26, "signature"),
        (("alice", {}, {"seq": 2000, "signature": "00" * 64}), -26, "seq-too-high"),
        (("alice", "text"), -32602, "bad-params"),
        (("alice", {}, {"sig": "00"}), -32602, "bad-params"),
    ],
)
def test_refused_updates(rpc: Caller, params: tuple[object, ...], code: int, word: str) -> None:
    error = rpc.error("name_update", *params)
    assert (error["code"], error["data"]["code"]) == (code, word), error


@pytest.mark.parametrize(
    ("params", "code", "word"),
    [
        (("alice", {"owner": BOB.key.hex()}), -26, "name-taken"),
        (("bob", {"owner": "04" + BOB.key.hex()[2:]}), -5, "owner-key"),
        (("bob", {}), -32602, "bad-params"),
        (("bob",), -32602, "bad-params"),
        (("bob", {"owner": BOB.key.hex(), "salt": "00"}), -32602, "bad-params"),
    ],
)
def test_refused_reservations(rpc: Caller, params: tuple[object, ...], code: int, word: str) -> None:
    error = rpc.error("name_new", *params)
    assert (error["code"], error["data"]["code"]) == (code, word), error


@pytest.mark.parametrize("method", ["sendoperation", "queueoperation"])
@pytest.mark.parametrize(
    ("operation", "code", "word"),
    [("", -5, "truncated"), ("00", -5, "field-type"), ("f8", -5, "type"), ("abc", -32602, "bad-params")],
)
def test_bytes_that_are_no_operation(rpc: Caller, method: str, operation: str, code: int, word: str) -> None:
    error = rpc.error(method, operation)
    assert (error["code"], error["data"]["code"]) == (code, word)


def test_refusals_carry_the_rule_and_the_present_value(rpc: Caller, node: LedgerNode) -> None:
    entry = node.view().entry("alice")
    assert entry is not None
    stolen = node.stamped(BOB.sign(node, Update(name="alice", reg=entry.reg, seq=1, record={})))
    assert rpc.error("sendoperation", operations.encode(stolen).hex())["data"]["code"] == "signature"
    update = Update(name="alice", reg=entry.reg, seq=0, record={})
    old = node.stamped(ALICE.sign(node, update))
    error = rpc.error("sendoperation", operations.encode(old).hex())
    assert error["code"] == -26
    assert error["data"]["seq"] == 0
    other_life = node.stamped(ALICE.sign(node, replace(update, reg=bytes(16))))
    assert rpc.error("sendoperation", operations.encode(other_life).hex())["data"]["code"].startswith("reg")


def test_queueing_takes_all_or_nothing(rpc: Caller, node: LedgerNode) -> None:
    entry = node.view().entry("alice")
    assert entry is not None
    good = operations.encode(ALICE.sign(node, Update(name="alice", reg=entry.reg, seq=1, record={}))).hex()
    assert rpc.error("queueoperation", [good, "00"])["code"] == -5
    assert rpc.result("listqueue") == []
    assert len(rpc.result("queueoperation", [good])) == 1
    assert rpc.result("listqueue")[0]["state"] == "queued"
    node.mine()
    assert rpc.result("listqueue")[0]["state"] == "confirmed"


def test_writing_needs_the_cookie(node: LedgerNode) -> None:
    rpc = caller(node, authenticated=False)
    for method in rpc.table:
        if method.access == "cookie":
            assert rpc.error(method.name)["code"] == -32001
    assert {m.name for m in rpc.table if m.access == "cookie"} == {
        "name_new",
        "name_firstupdate",
        "name_update",
        "queueoperation",
        "sendoperation",
        "acceptchain",
        "generate",
        "signnodeproof",
        "stop",
        "tls_check",  # it connects to others
    }
    assert node.stops == 0
