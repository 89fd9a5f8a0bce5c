"""The name state machine: which operations are valid, and what each does to the state.

Theory of operation
-------------------
A name is *absent*, *active*, in *grace* or *revoked*; heights alone move it from active to grace to absent::

    absent --reveal--> active --(height ≥ expires)--> grace --(height ≥ expires + grace)--> absent
                         |  ^                           |
                         |  '---------- renew ----------'
                         |--update, transfer--> active
                         '--revoke--> revoked --(height ≥ expires + grace)--> absent

Connecting block h first deletes what has run out and prunes old commitments (``expiry``), then applies the
operations in their listed order; one invalid operation invalidates the block. One module a kind holds the
two halves of its rule: ``check`` (reads the state, raises RuleError) and ``effect`` (writes the state, cannot
fail). Checks go from cheap to dear: state here, then signatures (``authority``), then the stamp
(``stamp``), so that a flood is refused before it costs anything.

Every operation but a commit and a reveal names ``reg``, the identity of one life of the name, and nothing
signed for an earlier life can be replayed onto a later one. ``seq`` orders owner operations; ``renew`` names the
expiry it replaces instead, so that a stolen node key can never outrun the owner's seq.
"""

from typing import Final

from meshchain.ledger.operations import Operation
from meshchain.ledger.rules import authority, commit, renew, reveal, revoke, transfer, update
from meshchain.ledger.rules.context import Context
from meshchain.ledger.rules.expiry import begin_block
from meshchain.ledger.state import Overlay, StateReader

__all__ = ["Context", "apply", "begin_block", "check_authority", "check_state"]

_MODULES: Final = {
    "commit": commit,
    "reveal": reveal,
    "update": update,
    "renew": renew,
    "transfer": transfer,
    "revoke": revoke,
}


def check_state(state: StateReader, operation: Operation, context: Context) -> None:
    """Raise RuleError unless the state permits ``operation`` in the block at ``context.height``."""
    _MODULES[operation.kind].check(state, operation, context)


def check_authority(state: StateReader, operation: Operation, context: Context) -> None:
    """Raise RuleError unless the signature and the record's proofs verify; the state was checked before."""
    authority.check(state, operation, context)


def apply(overlay: Overlay, operation: Operation, context: Context) -> None:
    """Check state and signatures, then change ``overlay``. The stamp is the caller's to check."""
    check_state(overlay, operation, context)
    check_authority(overlay, operation, context)
    _MODULES[operation.kind].effect(overlay, operation, context)
