"""A chain in which everything has happened once: every kind of operation, expiry, a side branch, a failed one."""

from meshchain.crypto.address import CLAIM_PREFIX
from meshchain.ledger.entry import Record
from meshchain.ledger.errors import RuleError
from tests.ledger.chain.watching import branch, give, spoil
from tests.ledger.kit import Lab, Node, small_params


def rich_lab(**changes: object) -> Lab:
    """About 60 blocks; ``alice``, ``bob`` and revoked ``carol`` stand at the end, ``dave`` has expired."""
    spans = {"commit_life": 8, "expiry": 26, "grace": 6, "max_block_size": 16384}
    lab = Lab(small_params(**{**spans, **changes}))
    alice, bob, carol, dave = (lab.owner(number) for number in range(1, 5))
    lab.register(dave, "dave", _record(lab, 4, "dave", 4))
    lab.mine_empty(20)
    for owner, name in ((alice, "alice"), (bob, "bob"), (carol, "carol")):
        lab.register(owner, name, _record(lab, owner.number, name, owner.number))
    reg = lab.entry("alice").reg
    lab.mine(lab.stamp(alice.update("alice", reg, 1, _record(lab, 1, "alice", 9))))
    lab.mine(lab.stamp(alice.transfer("alice", reg, 2, bob.key)), lab.stamp(carol.revoke("carol", carol_reg(lab), 1)))
    lab.mine(lab.stamp(bob.renew("bob", lab.entry("bob").reg, lab.entry("bob").expires)))
    lab.mine(lab.stamp(alice.commit("unused", lab.height)))
    _add_branches(lab)
    return lab


def carol_reg(lab: Lab) -> bytes:
    return lab.entry("carol").reg


def _record(lab: Lab, number: int, name: str, address: int) -> Record:
    claim = CLAIM_PREFIX + address.to_bytes(6, "big")
    owner = lab.owner(number).key
    second = Node(100).host(lab.genesis, owner, name, label="www")
    return {"hosts": [Node(number).host(lab.genesis, owner, name, ip6=claim), second]}


def _add_branches(lab: Lab) -> None:
    lab.mine_empty(2)
    give(lab.chain, branch(lab, back=5, count=2))
    try:
        give(lab.chain, spoil(lab, branch(lab, back=1, count=2), at=1))
    except RuleError:
        lab.mine_empty(2)
    assert any(tip.status == "invalid" for tip in lab.chain.view().tips())
