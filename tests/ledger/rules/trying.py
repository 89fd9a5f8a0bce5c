"""Trying operations on a chain, and lives short enough to be lived through."""

from dataclasses import replace

import pytest

from meshchain.ledger import operations
from meshchain.ledger.errors import RuleError
from meshchain.ledger.operations import Operation, Renew
from tests.ledger.kit import Lab, Node, Owner, small_params

LIFE, EXPIRY, GRACE, DEPTH = 8, 26, 6, 2


def short_lab(**changes: object) -> Lab:
    """Names live 26 blocks and 6 more in grace; a commit is good for reveals 2 to 8 blocks on."""
    spans = {"commit_depth": DEPTH, "commit_life": LIFE, "expiry": EXPIRY, "grace": GRACE, "stamp_grid": 10}
    return Lab(small_params(**{**spans, **changes}))


def refusal(lab: Lab, *listed: Operation) -> str:
    """The code with which a block of these operations, stamped here, is refused; the chain stays as it was."""
    before = lab.chain.tip
    with pytest.raises(RuleError) as error:
        lab.mine(*map(lab.stamp, listed))
    assert lab.chain.tip == before
    return error.value.code


def accept(lab: Lab, *listed: Operation) -> None:
    """Stamp the operations and mine them in one block."""
    lab.mine(*map(lab.stamp, listed))


def mine_to(lab: Lab, height: int) -> None:
    """Empty blocks until the next block is the one at ``height``."""
    assert lab.height < height
    lab.mine_empty(height - 1 - lab.height)


def node_renew(lab: Lab, owner: Owner, node: Node, name: str) -> Renew:
    """A renewal of the name as it stands, signed by a node's key."""
    entry = lab.entry(name)
    draft = Renew(name=name, reg=entry.reg, expires=entry.expires)
    return replace(draft, signature=node.sign(operations.opid(draft, lab.genesis)))
