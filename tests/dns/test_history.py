"""The memory of former versions: what it keeps of blocks on a real chain, when it begins anew, how far it reaches."""

from dataclasses import replace
from pathlib import Path

import pytest

from meshchain.dns import history as module
from meshchain.dns.history import Change, Former, History, Snapshot, history_of
from meshchain.dns.serial import ZoneVersion
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.entry import Record
from meshchain.ledger.store.leveldb import LevelStore
from tests.ledger.kit import Lab

TXT: Record = {"dns": [["", "TXT", 1, "x"]]}


def snapshot(
    view: ChainView, serial: int, *, window: int = 5, tag: int = 6, history: History | None = None
) -> Snapshot:
    return Snapshot(view, ZoneVersion(serial, window, view.tip.state_root, tag), True, "", history or History())


def former(older: ChainView, newer: ChainView) -> Former:
    found = history_of(snapshot(older, 1), snapshot(newer, 2)).since(1)
    assert found is not None
    return found


def test_what_names_said_before() -> None:
    lab = Lab()
    owner = lab.owner()
    first = lab.chain.view()
    alice = lab.register(owner, "alice")
    second = lab.chain.view()
    assert former(first, second) == {"alice": None}
    lab.mine(lab.stamp(owner.update("alice", alice.reg, alice.seq + 1, TXT)))
    third = lab.chain.view()
    assert former(second, third) == {"alice": alice.encode()}
    lab.mine_empty(30)
    alice = lab.entry("alice")
    lab.mine(lab.stamp(owner.renew("alice", alice.reg, alice.expires)))
    fourth = lab.chain.view()
    assert fourth.entry("alice") != third.entry("alice")
    assert former(third, fourth) == {}, "DNS says the same"
    lab.mine(lab.stamp(owner.revoke("alice", alice.reg, alice.seq + 1)))
    fifth = lab.chain.view()
    assert former(fourth, fifth) == {"alice": lab_bytes(fourth, "alice")}
    lab.mine_empty(lab.entry("alice").expires + lab.params.consensus.grace - lab.height)
    last = lab.chain.view()
    assert last.entry("alice") is None
    assert former(fifth, last) == {}, "revoked is as absent as expired"
    assert former(third, last) == {"alice": lab_bytes(third, "alice")}


def lab_bytes(view: ChainView, name: str) -> bytes:
    entry = view.entry(name)
    assert entry is not None
    return entry.encode()


def test_another_branch_of_the_same_height() -> None:
    lab = Lab()
    lab.register(lab.owner(), "common")
    rival = lab.fork()
    lab.register(lab.owner(), "alice")
    rival.register(rival.owner(2), "bob")
    losing, winning = sorted((lab, rival), key=lambda one: one.chain.tip.rank)
    older = losing.chain.view()
    assert losing.take(winning).disconnected
    newer = losing.chain.view()
    assert newer.height == older.height
    gone = "alice" if losing is lab else "bob"
    assert former(older, newer) == {"alice": None, "bob": None, gone: lab_bytes(older, gone)}


def test_it_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LevelStore(tmp_path / "ledger")
    lab = Lab(store=store)
    before = snapshot(lab.chain.view(), 3, history=History((Change(2, {}),)))
    lab.register(lab.owner(), "alice")
    after = snapshot(lab.chain.view(), 4)
    assert [change.serial for change in history_of(before, after).changes] == [2, 3]
    assert history_of(before, replace(before, synced=False)) == before.history
    assert history_of(before, snapshot(after.view, 4, window=6)) == History(), "another week"
    assert history_of(before, snapshot(after.view, 4, tag=7)) == History(), "another key"
    stale = replace(before, version=ZoneVersion(3, 5, b"another".ljust(32), 6))
    assert history_of(stale, after) == History(), "the serial's state was another run's"
    monkeypatch.setattr(module, "MOST_NAMES", 0)
    assert history_of(before, after) == History(), "too many names"
    monkeypatch.undo()
    store._let_go()  # what a failed write does
    assert history_of(before, snapshot(lab.chain.view(), 4)) == History(), "the old tip cannot be read any more"
    store.close()


def test_it_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    history = History()
    for serial in range(2000):
        history = history.follow(Change(serial, {"alice": bytes((serial % 256,))}))
    assert [change.serial for change in history.changes] == [*range(2000 - module.MOST_VERSIONS, 2000)]
    assert history.since(1999) == {"alice": bytes((1999 % 256,))}
    assert history.since(1000) == {"alice": bytes((1000 % 256,))}, "the oldest counts"
    assert history.since(2000) is history.since(2000 - module.MOST_VERSIONS - 1) is None
    monkeypatch.setattr(module, "MOST_NAMES", 7)
    history = History()
    for serial in range(9):
        history = history.follow(Change(serial, {"alice": None, f"n{serial}": None, "bob": None}))
    assert [change.serial for change in history.changes] == [7, 8]
    assert history.since(7) == {"alice": None, "bob": None, "n7": None, "n8": None}
