"""The commands' work against the real ledger, in one process; the program itself is tested in test_program."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshchain.crypto import ed25519_public_key, sign_ed25519, verify_ecdsa
from meshchain.crypto.hashing import tagged_hash
from meshchain.ledger import record as record_rules
from meshchain.ledger.record import proof_message
from meshchain.rpc.client.errors import ClientError, NodeRefused, WrongUse
from tests.wallet.lab import ALICE, BOB, Lab
from wallet import hosting, hosts, listing, registering, renewing, restoring, transferring
from wallet.commands.revoke import revoke
from wallet.commands.set import set_record
from wallet.commands.sign import sign
from wallet.commands.unset import unset_record
from wallet.context import Wallet
from wallet.errors import RefusalError
from wallet.registrar import Registrar, Situation, Stage
from wallet.remote import Ledger

OTHER_SEED = b"another machine's node key 32 by"


class Desk:
    """Runs commands of one wallet and reads the JSON they print."""

    def __init__(self, lab: Lab, wallet: Wallet, capsys: pytest.CaptureFixture[str]) -> None:
        self.lab = lab
        self.wallet = wallet
        self._capsys = capsys
        self.err = ""

    def __call__(self, command: Callable[..., Any], *args: Any, **named: Any) -> dict[str, Any]:  # noqa: ANN401
        self._capsys.readouterr()
        run = getattr(command, "callback", command)
        getattr(run, "__wrapped__", run)(self.wallet, *args, **named)
        captured = self._capsys.readouterr()
        self.err = captured.err
        document = json.loads(captured.out)
        assert isinstance(document, dict)
        return document

    def refused(self, command: Callable[..., Any], *args: Any, **named: Any) -> ClientError:  # noqa: ANN401
        with pytest.raises(ClientError) as caught:
            self(command, *args, **named)
        return caught.value

    def register(self, name: str = "alice", claim: str | None = None) -> None:
        self(registering.register, name, claim, no_host=False)
        self.lab.mine(3)

    def dns(self, name: str = "alice") -> list[Any]:
        entry = self.lab.ledger.registered(name)
        assert entry is not None
        return list(entry.record.get("dns", []))  # type: ignore[arg-type]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.fixture
def alice(lab: Lab, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(lab, lab.wallet("alice", words_of=ALICE), capsys)


def _set(desk: Desk, value: str, kind: str = "TXT", label: str = "", *, add: bool = False) -> dict[str, Any]:
    return desk(set_record, name="alice.mesh", record_type=kind, value=value, label=label, ttl=60, add=add)


def _other_identity(lab: Lab, owner: bytes, name: str = "alice") -> dict[str, Any]:
    """What ``meshctl identity --for`` prints on another machine."""
    key = ed25519_public_key(OTHER_SEED)
    proof = sign_ed25519(OTHER_SEED, proof_message(lab.ledger.genesis, owner, key, name))
    return {"name": name, "owner": owner.hex(), "key": key.hex(), "proof": proof.hex(), "zone": 7}


def _owner(lab: Lab, name: str = "alice") -> bytes:
    entry = lab.ledger.registered(name)
    assert entry is not None
    return entry.owner


def test_names_in_other_scripts_are_told_in_both_forms(alice: Desk) -> None:
    alice(registering.register, "b\u00fccher", None, no_host=False)
    assert "b\u00fccher.mesh is xn--bcher-kva.mesh on the ledger" in alice.err


def test_a_claim_that_was_not_granted_says_why(lab: Lab, alice: Desk) -> None:
    alice.register("alice", "eeee::1")
    alice.register("bob", "eeee::1")
    alice(registering.register, "bob", "eeee::1", no_host=False)
    assert "another name holds that" in alice.err
    alice(registering.register, "bob", "eeee::b", no_host=False)
    assert "its record does not ask for that" in alice.err


def test_the_list_is_in_columns_and_tells_no_expiry_of_a_revoked_name(
    lab: Lab, alice: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    alice.register("alice")
    alice.register("bobby-long")
    alice(revoke, name="alice", yes=True)
    lab.mine()
    alice.wallet.session.json = False
    listing.list_names(alice.wallet, rescan=False)
    revoked, active = capsys.readouterr().out.splitlines()
    assert revoked.split() == ["alice.mesh", "revoked", "-"]
    assert revoked.index("revoked") == active.index("active ")
    assert "expires in" in active


def test_nothing_follows_a_revoke_in_the_queue(alice: Desk) -> None:
    alice(registering.register, "alice", None, no_host=False)
    alice(revoke, name="alice", yes=True)
    with pytest.raises(RefusalError, match="waits in the node's queue"):
        _set(alice, "x")


def test_register_makes_a_wallet_and_binds_the_node(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(lab, lab.wallet("new"), capsys)
    queued = desk(registering.register, "Alice.mesh", None, no_host=False)
    assert queued["status"] == "queued"
    assert len(queued["txids"]) == 2
    assert "made a new wallet" in desk.err
    assert desk.wallet.keystore.open().words not in desk.err, "words are for terminals"
    assert desk(registering.register, "alice", None, no_host=False)["status"] == "in-queue"
    lab.mine(3)
    done = desk(registering.register, "alice", None, no_host=False)
    identity = lab.ledger.identity()
    assert (done["status"], done["ip6"], done["txids"]) == ("registered", identity.ip6, [])


def test_register_wait_goes_to_the_end_and_claims(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(lab, lab.wallet("alice", words_of=ALICE, wait=True), capsys)
    done = desk(registering.register, "alice", "eeee::1", no_host=False)
    assert (done["status"], done["ip6"]) == ("registered", "eeee::1")
    second = desk(registering.register, "bob", "eeee::1", no_host=False)
    assert second["ip6"] == lab.ledger.identity().ip6
    assert "not eeee::1: another name holds that" in desk.err


def test_two_sets_before_a_block_build_on_each_other(alice: Desk) -> None:
    alice.register()
    _set(alice, "one")
    _set(alice, "two", add=True)
    _set(alice, "192.0.2.1", "A", "www")
    assert alice.dns() == []
    alice.lab.mine(3)
    assert [entry[3] for entry in alice.dns()] == ['"one"', '"two"', "192.0.2.1"]
    entry = alice.lab.ledger.registered("alice")
    assert entry is not None
    assert entry.seq == 3
    alice(unset_record, name="alice", record_type="txt", value="one", label="")
    alice(unset_record, name="alice", record_type="A", value=None, label="WWW")
    alice.lab.mine(2)
    assert alice.dns() == [["", "TXT", 60, '"two"']]
    refused = alice.refused(unset_record, name="alice", record_type="A", value=None, label="www")
    assert (refused.code, refused.exit_code) == ("dns-not-found", 1)


def test_names_that_cannot_be_written(alice: Desk, lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    bob = Desk(lab, lab.wallet("bob", words_of=BOB), capsys)

    def refusal(desk: Desk) -> tuple[str, int]:
        error = desk.refused(set_record, name="alice", record_type="A", value="192.0.2.1", label="", ttl=1, add=False)
        return error.code, error.exit_code

    assert refusal(alice) == ("name-not-found", 1)
    alice(registering.register, "alice", None, no_host=True)
    assert refusal(bob) == ("registration-unfinished", 1)
    lab.mine(3)
    assert refusal(bob) == ("not-owner", 1)
    lab.mine(60)
    assert refusal(alice) == ("name-in-grace", 1)
    alice(renewing.renew_one, "alice")
    lab.mine(1)
    alice(revoke, name="alice", yes=True)
    assert refusal(alice) == ("name-revoked", 1), "already while the revocation waits"
    lab.mine(1)
    assert refusal(alice) == ("name-revoked", 1)


def test_operations_that_the_wallet_did_not_note_are_waited_for(alice: Desk, lab: Lab) -> None:
    alice.register()
    _set(alice, "one")
    with alice.wallet.keystore.edit() as edit:
        edit.payload.names["alice"].drafts.clear()  # as on a second machine with the same words
    refused = alice.refused(set_record, name="alice", record_type="A", value="192.0.2.1", label="", ttl=1, add=False)
    assert refused.code == "operations-outstanding"
    lab.mine(1)
    _set(alice, "two")


def test_too_large_a_record_says_how_large(alice: Desk) -> None:
    alice.register()
    refused = alice.refused(set_record, name="alice", record_type="TXT", value="x" * 2000, label="", ttl=1, add=False)
    assert refused.code == "record-size"
    assert refused.data["limit"] == 1536


def test_hosts_come_and_go(alice: Desk, lab: Lab, tmp_path: Path) -> None:
    alice.register(claim="eeee::5")
    identity = _other_identity(lab, _owner(lab))
    file = tmp_path / "identity.json"
    file.write_text(json.dumps(identity))

    def labels() -> list[tuple[Any, Any]]:
        entry = lab.ledger.registered("alice")
        assert entry is not None
        return [(host["label"], host["zone"]) for host in record_rules.hosts(entry.record)]

    alice(hosting.put, "host add", hosts.add, "alice", "www", (str(file),), None)
    alice(hosting.put, "host add", hosts.add, "alice", "db", (json.dumps(identity),), None)
    alice(hosting.put, "host add", hosts.add, "alice", "nas", (identity["key"], identity["proof"]), None)
    lab.mine(3)
    assert labels() == [("", 3), ("www", 7), ("db", 7), ("nas", 0)]
    refused = alice.refused(hosting.put, "host add", hosts.add, "alice", "@", (str(file),), None)
    assert refused.code == "host-exists"
    alice(hosting.put, "host replace", hosts.replace, "alice", "@", (str(file),), "eeee::6")
    alice(hosting.remove, "alice", "db", None)
    alice(hosting.remove, "alice", "nas", identity["key"])
    lab.mine(3)
    assert labels() == [("www", 7), ("", 7)]
    entry = lab.ledger.registered("alice")
    assert entry is not None
    assert entry.ip6 == "eeee::6"
    assert alice.refused(hosting.remove, "alice", "db", None).code == "host-not-found"
    assert alice.refused(hosting.put, "x", hosts.replace, "alice", "db", (), None).code == "host-not-found"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "bob"}, "identity-name"),
        ({"owner": "02" + "00" * 32}, "identity-owner"),
        ({"proof": "00" * 64}, "host-proof"),
        ({"proof": "zz"}, "bad-identity"),
        ({"key": "00"}, "bad-identity"),
        ({"key": None}, "bad-identity"),
        ({"ip6": "eeee::9"}, "host-address"),
        ({"ip6": "nonsense"}, "host-address"),
        ({"zone": 70_000}, "bad-identity"),
        ({"zone": "1"}, "bad-identity"),
    ],
)
def test_wrong_identities_are_found_before_signing(alice: Desk, lab: Lab, change: dict[str, Any], code: str) -> None:
    alice.register()
    identity = {**_other_identity(lab, _owner(lab)), **change}
    refused = alice.refused(hosting.put, "host add", hosts.add, "alice", "www", (json.dumps(identity),), None)
    assert isinstance(refused, WrongUse)
    assert refused.code == code


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"key": 1}', "[" * 100_000, '{"key":"' + "0" * 5000])
def test_identities_of_any_other_form(text: str) -> None:
    with pytest.raises(WrongUse) as caught:
        hosts.parse_identity(text)
    assert caught.value.code == "bad-identity"


def test_renew_one_and_all(alice: Desk, lab: Lab) -> None:
    assert alice(renewing.renew_all) == {"names": [], "state": "queued"}
    for name in ("alice", "bob"):
        alice.register(name)
    lab.mine(5)
    first = alice(renewing.renew_one, "alice")
    assert alice(renewing.renew_one, "alice")["txids"] == first["txids"], "one in the queue is not repeated"
    every = alice(renewing.renew_all)
    assert [(row["name"], row["reason"]) for row in every["names"]] == [
        ("alice", "a renewal is in the queue already"),
        ("bob", "renewal queued"),
    ]
    lab.mine(1)
    for name in ("alice", "bob"):
        entry = lab.ledger.registered(name)
        assert entry is not None
        assert entry.expires_in == 60


def test_transfer_to_another_wallet_and_back_to_life(alice: Desk, lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    alice.register()
    bob = Desk(lab, lab.wallet("bob", words_of=BOB), capsys)
    key = lab.keys(BOB).receive(0)
    alice(transferring.give, "alice", key.hex())
    assert alice.refused(renewing.renew_one, "alice").code == "not-owner", "already while the transfer waits"
    lab.mine(1)
    entry = lab.ledger.registered("alice")
    assert entry is not None
    assert (entry.owner, entry.record) == (key, {})
    _set(bob, "mine now")
    lab.mine(1)
    assert bob.dns() == [["", "TXT", 60, '"mine now"']]


def test_a_replaced_key_keeps_the_record_and_the_claim(alice: Desk, lab: Lab) -> None:
    alice.register(claim="eeee::5")
    _set(alice, "kept")
    done = alice(transferring.replace_key, "alice", (), drop_hosts=False)
    new = lab.keys().receive(0)
    assert done["new_owner"] == new.hex()
    assert len(done["txids"]) == 2
    lab.mine(3)
    entry = lab.ledger.registered("alice")
    assert entry is not None
    assert (entry.owner, entry.seq, entry.ip6) == (new, 3, "eeee::5")
    assert alice.dns() == [["", "TXT", 60, '"kept"']]
    _set(alice, "signed by the new key")
    again = alice(transferring.replace_key, "alice", (), drop_hosts=False)
    assert again["new_owner"] == lab.keys().receive(1).hex()
    lab.mine(3)
    assert _owner(lab) == lab.keys().receive(1)
    fresh = lab.wallet("fresh", words_of=ALICE)
    assert [found.name for found in restoring.rescan(fresh)] == ["alice"]


def test_a_replaced_key_needs_new_proofs_from_other_machines(alice: Desk, lab: Lab) -> None:
    alice.register()
    identity = json.dumps(_other_identity(lab, _owner(lab)))
    alice(hosting.put, "host add", hosts.add, "alice", "nas", (identity,), None)
    lab.mine(1)
    refused = alice.refused(transferring.replace_key, "alice", (), drop_hosts=False)
    assert (refused.code, refused.data["hosts"]) == ("hosts-unproven", ["nas"])
    assert alice.wallet.keystore.open().receive == 0, "nothing was changed, so the next try names the same key"
    new = bytes.fromhex(refused.data["new_owner"])
    stale = alice.refused(transferring.replace_key, "alice", (identity,), drop_hosts=False)
    assert stale.code == "identity-owner"
    proven = json.dumps(_other_identity(lab, new))
    alice(transferring.replace_key, "alice", (proven,), drop_hosts=False)
    lab.mine(3)
    entry = lab.ledger.registered("alice")
    assert entry is not None
    assert entry.owner == new
    assert [host["label"] for host in record_rules.hosts(entry.record)] == ["", "nas"]
    alice(transferring.replace_key, "alice", (), drop_hosts=True)
    lab.mine(3)
    entry = lab.ledger.registered("alice")
    assert entry is not None
    assert [host["label"] for host in record_rules.hosts(entry.record)] == [""]


def test_a_set_right_after_register_waits_its_turn(alice: Desk, lab: Lab) -> None:
    alice(registering.register, "alice", None, no_host=False)
    _set(alice, "early")
    assert alice.refused(renewing.renew_one, "alice").code == "registration-unfinished"
    lab.mine(4)
    assert alice.dns() == [["", "TXT", 60, '"early"']]


def test_a_lost_race_says_who_won(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Both registrations are handed over before either is in the chain, as by two nodes that know nothing yet."""
    for sentence in (BOB, ALICE):
        registrar = Registrar(lab.ledger, lab.keys(sentence), 0)
        situation = Situation(Stage.FREE, registrar.new_born())
        txids = lab.ledger.hand_over(registrar.drafts("alice", situation, {}))
        if sentence == BOB:
            winner = txids[-1]
    wallet = lab.wallet("alice", words_of=ALICE, wait=True)
    with pytest.raises(RefusalError, match="will not be confirmed") as caught:
        wallet.follow(txids, "alice")
    assert (caught.value.code, caught.value.exit_code) == ("conflict-lost", 1)
    assert caught.value.data["winner"] == winner
    assert "commit" in capsys.readouterr().err
    desk = Desk(lab, wallet, capsys)
    refused = desk.refused(registering.register, "alice", None, no_host=False)
    assert (refused.code, refused.exit_code) == ("name-taken", 1)
    with wallet.keystore.edit() as edit:
        edit.payload.note("alice")
    [row] = desk(listing.list_names, rescan=False)["names"]
    assert (row["name"], row["status"]) == ("alice", "conflict-lost")
    assert "registered by another operation" in row["reason"]
    assert desk(listing.show, "alice")["queue"][0]["state"] == "conflict-lost"


def test_sign_verifies_with_the_owner_key(alice: Desk, lab: Lab) -> None:
    alice.register()
    signed = alice(sign, name="alice", message="hello")
    digest = tagged_hash("message", lab.ledger.genesis, b"hello")
    assert verify_ecdsa(bytes.fromhex(signed["owner"]), digest, bytes.fromhex(signed["signature"]))


def test_list_and_show(alice: Desk, lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert alice(listing.list_names, rescan=False) == {"names": []}
    alice.register("alice")
    alice(registering.register, "bob", None, no_host=False)
    rows = alice(listing.list_names, rescan=False)["names"]
    assert [(row["name"], row["status"]) for row in rows] == [("alice", "active"), ("bob", "registering")]
    assert alice(listing.show, "bob")["status"] == "registering"
    _set(alice, "hello")
    shown = alice(listing.show, "alice.mesh")
    assert (shown["mine"], shown["value"]["hosts"][0]["label"], shown["queue"][0]["kind"]) == (True, "", "update")
    bob = Desk(lab, lab.wallet("bob", words_of=BOB), capsys)
    assert bob(listing.show, "alice")["mine"] is False
    assert Desk(lab, lab.wallet("nobody"), capsys)(listing.show, "alice")["mine"] is None
    refused = bob.refused(listing.show, "nobody-has-this")
    assert (refused.code, refused.exit_code) == ("name-not-found", 1)


def test_text_output_has_the_same_facts(alice: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    alice.register()
    _set(alice, "hello\x1b[2J")
    alice.lab.mine(1)
    alice.wallet.session.json = False
    capsys.readouterr()
    listing.show(alice.wallet, "alice")
    listing.list_names(alice.wallet, rescan=False)
    registering.register(alice.wallet, "alice", None, no_host=False)
    out = capsys.readouterr().out
    assert "(this wallet)" in out
    assert "dns      @ 60 TXT" in out
    assert "alice.mesh  active" in out
    assert "is registered and yours" in out
    assert "\x1b" not in out


def test_words_alone_restore_every_name(alice: Desk, lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """Registered names, a received one, one under a replaced key, and an unfinished registration."""
    for name in ("alice", "zoe"):
        alice.register(name)
    bob = Desk(lab, lab.wallet("bob", words_of=BOB), capsys)
    bob.register("gift")
    bob(transferring.give, "gift", lab.keys(ALICE).receive(11).hex())
    lab.mine(1)
    alice(registering.register, "unfinished", None, no_host=False)
    lab.mine(1)
    lab.node.forget_queue()
    fresh = Desk(lab, lab.wallet("fresh"), capsys)
    fresh(restoring.restore, ALICE, offline=True)
    assert fresh(listing.list_names, rescan=False) == {"names": []}
    assert fresh(restoring.restore, ALICE, offline=False)["names"] == ["alice", "gift", "zoe"]
    assert fresh.wallet.keystore.open().receive == 12
    _set(fresh, "back")
    assert fresh(registering.register, "unfinished", None, no_host=False)["status"] == "resumed"
    lab.mine(3)
    rows = fresh(listing.list_names, rescan=True)["names"]
    assert [row["name"] for row in rows] == ["alice", "gift", "unfinished", "zoe"]


def test_a_rescan_pages_through_many_names(alice: Desk, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wallet.restore.PAGE", 2)
    for name in ("a", "a-0", "a0", "b", "c"):
        alice(registering.register, name, None, no_host=True)
    lab.mine(4)
    found = restoring.rescan(alice.wallet)
    assert [entry.name for entry in found] == ["a", "a-0", "a0", "b", "c"]


def test_a_node_of_another_network_is_refused(alice: Desk, lab: Lab, tmp_path: Path) -> None:
    from dataclasses import replace

    other = replace(lab.params, consensus=replace(lab.params.consensus, expiry=61))
    elsewhere = lab.wallet("alice")
    elsewhere.ledger.params = other
    alice.wallet = elsewhere
    refused = alice.refused(registering.register, "alice", None, no_host=False)
    assert refused.code == "wrong-network"


def test_answers_of_another_shape_are_typed_errors(alice: Desk) -> None:
    class Liar:
        def call(self, method: str, *args: object) -> object:
            return {"genesis": 5, "name": []}

    alice.wallet.ledger._caller = Liar()
    questions: tuple[Callable[[Ledger], object], ...] = (
        lambda ledger: ledger.genesis,
        lambda ledger: ledger.height(),
        lambda ledger: ledger.queue(),
        lambda ledger: ledger.registered("alice"),
        lambda ledger: ledger.identity(),
        lambda ledger: ledger.page("", 5),
        lambda ledger: ledger.commitment(bytes(32)),
        lambda ledger: ledger.owned_by([bytes(33)]),
        lambda ledger: ledger.in_history("alice", "00"),
    )
    for question in questions:
        with pytest.raises(ClientError) as caught:
            question(alice.wallet.ledger)
        assert caught.value.code == "bad-answer"


def test_a_syncing_node_is_reported_as_such(alice: Desk, lab: Lab) -> None:
    lab.node.synced = False
    refused = alice.refused(registering.register, "alice", None, no_host=False)
    assert isinstance(refused, NodeRefused)
    assert (refused.code, refused.rpc_code) == ("syncing", -28)


def test_notes_are_on_disk_before_the_node_has_the_operation(alice: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    alice.register()

    def lost(_ledger: object, drafts: list[Any]) -> list[str]:
        assert len(alice.lab.wallet("alice").keystore.open().names["alice"].drafts) == 3
        raise RefusalError("connection-lost", "as if the cable were cut")

    monkeypatch.setattr("wallet.remote.Ledger.hand_over", lost)
    assert alice.refused(set_record, name="alice", record_type="A", value="192.0.2.1", label="", ttl=1, add=False)
    monkeypatch.undo()
    _set(alice, "after it")
    alice.lab.mine(1)
    assert alice.dns() == [["", "TXT", 60, '"after it"']]
