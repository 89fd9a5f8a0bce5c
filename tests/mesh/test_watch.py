"""Answers, and what blocks and reorgs change of them."""

import pytest

from meshchain.mesh import watch as module
from meshchain.mesh.watch import Watch
from meshrouter.directory import Binding, Role
from tests.ledger.kit import Lab
from tests.mesh.test_bindings import CLAIM, NODE, STRANGER, record


def test_changes_are_told_once_each() -> None:
    lab, watch = Lab(), Watch()
    owner = lab.owner()
    assert watch.ask(lab.chain.view(), [NODE.key, CLAIM, STRANGER.key]) == [
        (NODE.key, Binding(NODE.key)),
        (CLAIM, None),
        (STRANGER.key, Binding(STRANGER.key)),
    ]
    lab.register(owner, "alice", record(lab, owner, "alice", ip6=CLAIM))
    guest = Binding(NODE.key, Role.GUEST, "alice", CLAIM, 0)
    assert watch.moved(lab.chain.view()) == [(NODE.key, guest), (CLAIM, NODE.key)]
    assert watch.moved(lab.chain.view()) == []
    lab.mine_empty(2)
    assert watch.moved(lab.chain.view()) == [(NODE.key, Binding(NODE.key, Role.MEMBER, "alice", CLAIM, 0))]


def test_a_reorg_takes_a_binding_back() -> None:
    lab, watch = Lab(), Watch()
    owner = lab.owner()
    rival = lab.fork()
    lab.register(owner, "alice", record(lab, owner, "alice"))
    watch.ask(lab.chain.view(), [NODE.key])
    rival.mine_empty(lab.height + 1)
    assert lab.take(rival).disconnected
    assert watch.moved(lab.chain.view()) == [(NODE.key, Binding(NODE.key))]


def test_what_is_forgotten_is_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    lab, watch = Lab(), Watch()
    owner = lab.owner()
    watch.ask(lab.chain.view(), [NODE.key])
    watch.forget([NODE.key, CLAIM])
    lab.register(owner, "alice", record(lab, owner, "alice"))
    assert watch.moved(lab.chain.view()) == []
    monkeypatch.setattr(module, "MOST_WATCHED", 2)
    watch.ask(lab.chain.view(), [NODE.key, CLAIM, STRANGER.key])
    assert len(watch) == 2
