"""Which names changed between two tips: never one too few, on both sides of a fork, or None where it is too much."""

import pytest

from meshchain.ledger.chain import between
from meshchain.ledger.chain.between import changed_names
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.errors import StoreError
from meshchain.ledger.store import layout
from tests.ledger.kit import Lab


def differing(older: ChainView, newer: ChainView) -> set[str]:
    """By comparing all."""
    one, other = dict(older.names()), dict(newer.names())
    return {name for name in one | other if one.get(name) != other.get(name)}


def test_registered_updated_and_expired() -> None:
    lab = Lab()
    owner = lab.owner()
    views = [lab.chain.view()]
    lab.register(owner, "alice")
    views.append(lab.chain.view())
    bob = lab.register(owner, "bob")
    lab.mine(lab.stamp(owner.update("bob", bob.reg, bob.seq + 1, {"dns": [["", "TXT", 1, "x"]]})))
    views.append(lab.chain.view())
    lab.mine_empty(lab.entry("bob").expires + lab.params.consensus.grace - lab.height)
    views.append(lab.chain.view())
    assert [changed_names(one, views[-1], 9) for one in views] == [
        {"alice", "bob"},
        {"alice", "bob"},
        {"alice", "bob"},
        set(),
    ]
    assert changed_names(views[0], views[1], 9) == {"alice"} == differing(views[0], views[1])
    assert changed_names(views[1], views[2], 9) == {"bob"} == differing(views[1], views[2])
    assert differing(views[2], views[3]) == {"alice", "bob"}, "expired"


def test_both_sides_of_a_fork() -> None:
    lab = Lab()
    lab.register(lab.owner(), "common")
    rival = lab.fork()
    lab.register(lab.owner(), "alice")
    rival.register(rival.owner(2), "bob")
    rival.mine()
    older = lab.chain.view()
    assert lab.take(rival).disconnected
    newer = lab.chain.view()
    assert changed_names(older, newer, 9) == {"alice", "bob"} == differing(older, newer)
    assert changed_names(newer, older, 9) == {"alice", "bob"}, "and back"
    assert changed_names(newer, newer, 9) == set()


def test_too_much_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab()
    older = lab.chain.view()
    for name in ("alice", "bob"):
        lab.register(lab.owner(), name)
    newer = lab.chain.view()
    assert changed_names(older, newer, 2) == {"alice", "bob"}
    assert changed_names(older, newer, 1) is None
    monkeypatch.setattr(between, "MOST_BLOCKS", newer.height)
    assert changed_names(older, newer, 2) is not None
    monkeypatch.setattr(between, "MOST_BLOCKS", newer.height - 1)
    assert changed_names(older, newer, 2) is None


def test_a_missing_undo_is_damage() -> None:
    lab = Lab()
    older = lab.chain.view()
    lab.mine()
    lab.chain.store.write({layout.UNDO + lab.chain.tip.id: None})
    with pytest.raises(StoreError, match="undo"):
        changed_names(older, ChainView(lab.chain.store.snapshot(), lab.params, lab.genesis, frozenset()), 9)


def test_names_back() -> None:
    lab = Lab()
    for name in ("carol", "alice", "bob"):
        lab.register(lab.owner(), name)
    view = lab.chain.view()
    assert [name for name, _ in view.names_back("carol")] == ["bob", "alice"]
    assert [name for name, _ in view.names_back("b")] == ["alice"]
    assert [name for name, _ in view.names_back("alice")] == []
    assert next(view.names_back("z"))[1] == view.entry("carol")
