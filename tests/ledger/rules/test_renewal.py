"""renew: by the owner or by the primary host's node, and neither can use it against the other."""

from dataclasses import replace

import pytest

from meshchain.ledger import operations
from meshchain.ledger.entry import Record
from meshchain.ledger.operations import Update
from tests.ledger.kit import Lab, Node
from tests.ledger.rules.trying import EXPIRY, GRACE, accept, mine_to, node_renew, refusal, short_lab

NODE = Node(1)
SECOND = Node(2)


@pytest.fixture
def lab() -> Lab:
    """``alice`` with a primary host NODE and a second host ``www`` on SECOND."""
    lab = short_lab()
    lab.register(lab.owner(), "alice", _record(lab))
    return lab


def _record(lab: Lab) -> Record:
    owner = lab.owner()
    first = NODE.host(lab.genesis, owner.key, "alice")
    return {"hosts": [SECOND.host(lab.genesis, owner.key, "alice", label="www"), first]}


@pytest.mark.parametrize("by", ["owner", "node"])
def test_a_renewal_moves_the_expiry_and_nothing_else(lab: Lab, by: str) -> None:
    lab.mine_empty(3)
    before = lab.entry("alice")
    owner = lab.owner()
    renew = owner.renew("alice", before.reg, before.expires)
    accept(lab, renew if by == "owner" else node_renew(lab, owner, NODE, "alice"))
    after = lab.entry("alice")
    assert after.expires == lab.height + EXPIRY > before.expires
    assert (after.owner, after.reg, after.record, after.address) == (
        before.owner,
        before.reg,
        before.record,
        before.address,
    )
    assert (after.seq, after.registered, after.revoked) == (before.seq, before.registered, before.revoked)


@pytest.mark.parametrize("node", [SECOND, Node(3)])
def test_only_the_primary_hosts_node_may_renew(lab: Lab, node: Node) -> None:
    lab.mine()
    assert refusal(lab, node_renew(lab, lab.owner(), node, "alice")) == "signature"


def test_without_a_primary_host_only_the_owner_may_renew(lab: Lab) -> None:
    reg = lab.entry("alice").reg
    accept(lab, lab.owner().update("alice", reg, 1, {}))
    assert refusal(lab, node_renew(lab, lab.owner(), NODE, "alice")) == "signature"
    accept(lab, lab.owner().renew("alice", reg, lab.entry("alice").expires))


def test_a_former_primary_hosts_node_may_not_renew(lab: Lab) -> None:
    """Also within one block: the key that counts is the one at the operation's turn."""
    owner, reg = lab.owner(), lab.entry("alice").reg
    record: Record = {"hosts": [SECOND.host(lab.genesis, owner.key, "alice")]}
    old = node_renew(lab, owner, NODE, "alice")
    assert refusal(lab, owner.update("alice", reg, 1, record), old) == "signature"
    accept(lab, owner.update("alice", reg, 1, record), node_renew(lab, owner, SECOND, "alice"))


def test_a_node_key_signs_renewals_and_nothing_else(lab: Lab) -> None:
    """An Ed25519 signature over an update's opid by the primary's key is no owner's signature."""
    draft = Update(name="alice", reg=lab.entry("alice").reg, seq=1, record={})
    signed = replace(draft, signature=NODE.sign(operations.opid(draft, lab.genesis)))
    assert refusal(lab, signed) == "signature"


def test_a_node_cannot_outrun_the_owner(lab: Lab) -> None:
    """However often the node renews, the owner's next seq stays what it was."""
    owner, reg = lab.owner(), lab.entry("alice").reg
    signed_before = owner.transfer("alice", reg, 1, lab.owner(2).key)
    for _ in range(5):
        lab.mine()
        accept(lab, node_renew(lab, owner, NODE, "alice"))
    accept(lab, signed_before)
    assert lab.entry("alice").owner == lab.owner(2).key


def test_the_owner_cannot_block_the_node(lab: Lab) -> None:
    """However far the owner's seq runs, a renewal signed before stays good; only another renewal replaces it."""
    owner, entry = lab.owner(), lab.entry("alice")
    lab.mine()
    renew = node_renew(lab, owner, NODE, "alice")
    accept(lab, owner.update("alice", entry.reg, 900, _record(lab)))
    accept(lab, renew)


def test_owner_and_node_renewals_for_one_expiry_exclude_each_other(lab: Lab) -> None:
    lab.mine()
    owner, entry = lab.owner(), lab.entry("alice")
    by_owner = owner.renew("alice", entry.reg, entry.expires)
    by_node = node_renew(lab, owner, NODE, "alice")
    assert refusal(lab, by_owner, by_node) == "operation-repeated"  # signatures are no part of an identity
    accept(lab, by_node)
    lab.mine()
    assert refusal(lab, by_owner) == "expires-mismatch"


@pytest.mark.parametrize("off", [-1, 1])
def test_a_renewal_for_another_expiry_is_refused(lab: Lab, off: int) -> None:
    lab.mine()
    entry = lab.entry("alice")
    assert refusal(lab, lab.owner().renew("alice", entry.reg, entry.expires + off)) == "expires-mismatch"


def test_a_renewal_that_gains_nothing_is_refused() -> None:
    lab = short_lab()
    owner = lab.owner()
    accept(lab, owner.commit("alice"))
    lab.mine()
    height = lab.height + 1
    reveal = owner.reveal("alice")
    renew = owner.renew("alice", owner.reg("alice"), height + EXPIRY)
    assert refusal(lab, reveal, renew) == "renew-no-gain"
    accept(lab, reveal)
    accept(lab, renew)


def test_a_node_saves_a_name_in_the_last_block_of_grace(lab: Lab) -> None:
    entry = lab.entry("alice")
    mine_to(lab, entry.expires + GRACE - 1)
    accept(lab, node_renew(lab, lab.owner(), NODE, "alice"))
    assert lab.entry("alice").expires == lab.height + EXPIRY


def test_after_a_transfer_the_old_node_has_no_say(lab: Lab) -> None:
    owner, new = lab.owner(), lab.owner(2)
    accept(lab, owner.transfer("alice", lab.entry("alice").reg, 1, new.key))
    assert refusal(lab, node_renew(lab, owner, NODE, "alice")) == "signature"
    renew = new.renew("alice", lab.entry("alice").reg, lab.entry("alice").expires)
    accept(lab, renew)
