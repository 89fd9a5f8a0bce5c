"""Which keys forward, which are guests, which are barred: on a real chain."""

from meshchain.crypto.address import node_address
from meshchain.ledger.codec import Value
from meshchain.ledger.entry import Record
from meshchain.mesh.bindings import binding_of, holder_of, own_addresses
from meshrouter.directory import Binding, Role
from tests.ledger.kit import Lab, Node, Owner

CLAIM = bytes.fromhex("eeee0000000000000000000000000001")
OTHER_CLAIM = CLAIM[:-1] + b"\2"
NODE, PHONE, STRANGER = Node(1), Node(2), Node(3)


def record(lab: Lab, owner: Owner, name: str, node: Node = NODE, **host: object) -> Record:
    return {"hosts": [node.host(lab.genesis, owner.key, name, **host)]}  # type: ignore[arg-type]


def role(lab: Lab, node: Node = NODE) -> Role:
    return binding_of(lab.chain.view(), node.key).role


def test_a_key_forwards_once_its_binding_is_deep_enough() -> None:
    lab = Lab()
    owner = lab.owner()
    assert role(lab) is Role.GUEST
    lab.register(owner, "alice", record(lab, owner, "alice"))
    assert binding_of(lab.chain.view(), NODE.key) == Binding(NODE.key, Role.GUEST, "alice", None, 0)
    lab.mine()
    assert role(lab) is Role.GUEST
    lab.mine()
    assert role(lab) is Role.MEMBER, "three blocks, its own included"
    assert role(lab, STRANGER) is Role.GUEST


def test_renewals_and_updates_that_keep_the_host_are_no_break() -> None:
    lab = Lab()
    owner = lab.owner()
    entry = lab.register(owner, "alice", record(lab, owner, "alice"))
    lab.mine_empty(2)
    lab.mine(lab.stamp(owner.renew("alice", entry.reg, entry.expires)))
    assert role(lab) is Role.MEMBER
    lab.mine(lab.stamp(owner.update("alice", entry.reg, 1, record(lab, owner, "alice") | {"dns": []})))
    assert role(lab) is Role.MEMBER


def test_a_host_that_was_gone_for_a_while_starts_anew() -> None:
    lab = Lab()
    owner = lab.owner()
    entry = lab.register(owner, "alice", record(lab, owner, "alice"))
    lab.mine_empty(2)
    lab.mine(lab.stamp(owner.update("alice", entry.reg, 1, {})))
    assert binding_of(lab.chain.view(), NODE.key) == Binding(NODE.key)
    lab.mine(lab.stamp(owner.update("alice", entry.reg, 2, record(lab, owner, "alice"))))
    assert role(lab) is Role.GUEST
    lab.mine_empty(2)
    assert role(lab) is Role.MEMBER


def test_a_transferred_name_vouches_for_nobody_until_its_new_owner_says_so() -> None:
    lab = Lab()
    owner, heir = lab.owner(1), lab.owner(2)
    entry = lab.register(owner, "alice", record(lab, owner, "alice"))
    lab.mine_empty(2)
    lab.mine(lab.stamp(owner.transfer("alice", entry.reg, 1, heir.key)))
    assert role(lab) is Role.GUEST
    lab.mine(lab.stamp(heir.update("alice", entry.reg, 2, record(lab, heir, "alice"))))
    assert role(lab) is Role.GUEST, "the key was unbound in between"
    lab.mine_empty(2)
    assert role(lab) is Role.MEMBER


def test_a_revoked_name_bars_its_keys_unless_another_name_lists_them() -> None:
    lab = Lab()
    owner = lab.owner()
    entry = lab.register(owner, "alice", record(lab, owner, "alice", ip6=CLAIM))
    lab.mine(lab.stamp(owner.revoke("alice", entry.reg, 1)))
    assert binding_of(lab.chain.view(), NODE.key) == Binding(NODE.key, Role.BARRED)
    assert holder_of(lab.chain.view(), CLAIM) is None
    lab.register(owner, "bob", record(lab, owner, "bob"))
    assert role(lab) is Role.GUEST
    lab.mine_empty(2)
    assert role(lab) is Role.MEMBER


def test_claims_and_labels() -> None:
    lab = Lab()
    owner = lab.owner()
    both: list[Value] = [
        NODE.host(lab.genesis, owner.key, "alice", ip6=CLAIM),
        PHONE.host(lab.genesis, owner.key, "alice", label="phone"),
    ]
    lab.register(owner, "alice", {"hosts": both})
    lab.register(owner, "bob", record(lab, owner, "bob", ip6=OTHER_CLAIM))
    view = lab.chain.view()
    assert holder_of(view, CLAIM) == NODE.key
    assert binding_of(view, NODE.key) == Binding(NODE.key, Role.MEMBER, "alice", CLAIM, 0)
    assert binding_of(view, PHONE.key) == Binding(PHONE.key, Role.MEMBER, "phone.alice", None, 0)
    assert own_addresses(view, NODE.key) == (CLAIM, OTHER_CLAIM)
    assert own_addresses(view, PHONE.key) == ()
    derived = node_address(NODE.key)
    assert derived is not None
    assert holder_of(view, derived) is None, "only claims are held"


def test_the_claim_of_somebody_else_is_not_held() -> None:
    lab = Lab()
    first, second = lab.owner(1), lab.owner(2)
    lab.register(first, "alice", record(lab, first, "alice", ip6=CLAIM))
    lab.register(second, "mallory", record(lab, second, "mallory", PHONE, ip6=CLAIM))
    view = lab.chain.view()
    assert holder_of(view, CLAIM) == NODE.key
    assert binding_of(view, PHONE.key).address is None
