"""The registrar against the real ledger: interrupted anywhere, it takes up what is there."""

from pathlib import Path

import pytest

from meshchain.ledger.operations import Revoke
from tests.wallet.lab import ALICE, BOB, LIFE, Lab
from wallet import drafts
from wallet.derivation import Keyring
from wallet.errors import RefusalError
from wallet.registrar import Registrar, Stage


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def _registrar(lab: Lab, sentence: str = ALICE) -> Registrar:
    return Registrar(lab.ledger, lab.keys(sentence), 0)


def _step(lab: Lab, sentence: str = ALICE, name: str = "alice") -> Stage:
    """One ``register``: assess, and hand over what is left to do."""
    registrar = _registrar(lab, sentence)
    situation = registrar.assess(name)
    made = registrar.drafts(name, situation, {})
    if made:
        lab.ledger.hand_over(made)
    return situation.stage


def _code(lab: Lab, sentence: str = ALICE) -> str:
    with pytest.raises(RefusalError) as caught:
        _step(lab, sentence)
    return caught.value.code


def test_from_free_to_owned(lab: Lab) -> None:
    assert _step(lab) is Stage.FREE
    assert _step(lab) is Stage.QUEUED
    lab.mine(2)
    assert _step(lab) is Stage.QUEUED
    lab.mine(1)
    assert _step(lab) is Stage.OWNED
    entry = lab.ledger.registered("alice")
    assert entry is not None
    assert entry.owner == lab.keys().owner("alice")
    assert [item.state for item in lab.ledger.queue()] == ["confirmed", "confirmed"]


def test_queued_names_the_txids_with_the_reveal_last(lab: Lab) -> None:
    registrar = _registrar(lab)
    handed = lab.ledger.hand_over(registrar.drafts("alice", registrar.assess("alice"), {}))
    assert list(registrar.assess("alice").txids) == handed
    lab.mine(1)
    assert registrar.assess("alice").txids[-1] == handed[-1]


@pytest.mark.parametrize("tip", [0, 5, LIFE - 1, LIFE, 2 * LIFE - 1, 2 * LIFE, 5 * LIFE + 7])
def test_a_lost_queue_is_resumed_from_words_at_any_height(lab: Lab, tip: int) -> None:
    """Begun at ``tip``, the queue lost, then asked at every height until the commitment is forgotten."""
    lab.mine(tip)
    assert _step(lab) is Stage.FREE
    born = _registrar(lab).new_born()
    lab.mine(1)
    lab.node.forget_queue()
    for _ in range(LIFE):
        situation = _registrar(lab).assess("alice")
        assert (situation.stage, situation.born) == (Stage.COMMITTED, born)
        lab.mine(1)
    assert _registrar(lab).assess("alice").stage is Stage.FREE


def test_a_resumed_reveal_registers(lab: Lab) -> None:
    _step(lab)
    lab.mine(1)
    lab.node.forget_queue()
    assert _step(lab) is Stage.COMMITTED
    assert [item.kind for item in lab.ledger.queue() if item.working] == ["reveal"]
    lab.mine(2)
    assert _step(lab) is Stage.OWNED


def test_an_abandoned_attempt_begins_anew_once_forgotten(lab: Lab) -> None:
    _step(lab)
    lab.mine(1)
    lab.node.forget_queue()
    lab.mine(LIFE)
    assert _step(lab) is Stage.FREE, "with the same born, hence the same commit as before"
    lab.mine(3)
    assert _step(lab) is Stage.OWNED


def test_names_of_others_are_taken(lab: Lab) -> None:
    _step(lab, BOB)
    assert _code(lab) == "name-contested"
    lab.mine(3)
    with pytest.raises(RefusalError, match=r"alice\.mesh is taken: .* until block 63 \(in 60 blocks\)") as caught:
        _step(lab)
    assert caught.value.exit_code == 1
    assert caught.value.data["owner"] == lab.keys(BOB).owner("alice").hex()
    lab.mine(60)
    assert _code(lab) == "name-taken", "in grace it still belongs to Bob"


def test_a_later_life_of_the_name_is_another_registration(lab: Lab) -> None:
    _step(lab)
    lab.mine(3)
    first = lab.ledger.registered("alice")
    lab.mine(60 + 10)
    lab.node.forget_queue()
    assert lab.ledger.registered("alice") is None
    assert _step(lab) is Stage.FREE
    lab.mine(3)
    second = lab.ledger.registered("alice")
    assert first is not None
    assert second is not None
    assert first.owner == second.owner
    assert first.reg != second.reg


def test_own_names_in_grace_and_revoked(lab: Lab) -> None:
    _step(lab)
    lab.mine(3)
    entry = lab.ledger.registered("alice")
    assert entry is not None
    lab.mine(60)
    situation = _registrar(lab).assess("alice")
    assert situation.stage is Stage.OWNED
    assert situation.entry is not None
    assert situation.entry.status == "grace"


def test_a_revoked_name_cannot_be_registered(lab: Lab) -> None:
    _step(lab)
    lab.mine(3)
    entry, keys = lab.ledger.registered("alice"), lab.keys()
    assert entry is not None
    revoke = Revoke(name="alice", reg=entry.reg, seq=1)
    lab.ledger.hand_over([drafts.signed(revoke, keys.owner_private("alice"), lab.ledger.genesis)])
    lab.mine(1)
    assert _code(lab) == "name-revoked"
    assert _code(lab, BOB) == "name-taken"


def test_a_key_that_received_the_name_owns_it(lab: Lab) -> None:
    _step(lab)
    lab.mine(3)
    keys = lab.keys()
    assert Registrar(lab.ledger, keys, 0).assess("alice").stage is Stage.OWNED
    assert isinstance(keys, Keyring)
    assert keys.owns("alice", keys.receive(4), 0)
