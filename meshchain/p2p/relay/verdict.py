"""What an operation's refusal says about the peer that sent it.

Only what the bytes alone decide is anybody's fault: an honest peer checked it, too. Whatever depends on the branch, the
tip or the mempool may have been right where it came from. That goes for signatures as well: but for a reveal,
which carries its key, the state says whose signature is needed, so an update by an owner who has just transferred the
name is good here and bad there. Were peers blamed for those, one owner could set honest nodes against each other by
telling each a different half of the story.
"""

from enum import Enum
from typing import Final

from meshchain.ledger import operations
from meshchain.ledger.errors import CodecError, HeldError, LocalError, RemoteError
from meshchain.ledger.operations import Reveal
from meshchain.ledger.params import Consensus
from meshchain.p2p.actions import Outcome

FORGED_POINTS: Final = 25
"""Four forged operations are a ban: few enough to be cheap for us, enough to outlive one mistake of a program."""

_BYTES_ALONE: Final = frozenset(
    (
        "name-alphabet",
        "name-double-hyphen",
        "name-edge-hyphen",
        "name-length",
        "host-address",
        "host-count",
        "host-duplicate",
        "host-key",
        "host-primary",
        "record-size",
        "owner-key",
        "operation-size",
        "signature-missing",
        "stamp-missing",
        "stamp-bits",
        "stamp-work",
    )
)
_KEY_IN_REVEAL: Final = frozenset(("signature", "host-proof"))
_NO_ROOM: Final = frozenset(("stamp-not-better", "already-confirmed"))


class Verdict(Enum):
    GOOD = "good"
    LOCAL = "local"
    """Nothing was found out: our disk failed."""
    HELD = "held"
    """Kept by the mempool until its turn comes."""
    EARLY = "early"
    """The next block may change it: its anchor lies ahead of our tip."""
    ELSEWHERE = "elsewhere"
    """Good on another branch, or here at another time."""
    CROWDED = "crowded"
    """The mempool has it, had it, or has no room."""
    FORGED = "forged"
    """No honest node has ever taken it."""

    @property
    def useless(self) -> bool:
        """Whether it cost us a check and could not be known to be good."""
        return self in (Verdict.ELSEWHERE, Verdict.FORGED)


def judge(raw: bytes, outcome: Outcome, consensus: Consensus) -> Verdict:
    """The verdict on an operation from what became of AdmitOperation."""
    match outcome.error:
        case None:
            return Verdict.GOOD
        case LocalError():
            return Verdict.LOCAL
        case HeldError():
            return Verdict.HELD
        case CodecError():
            return Verdict.FORGED
        case error:
            return _of_rule(raw, error, consensus)


def _of_rule(raw: bytes, error: RemoteError, consensus: Consensus) -> Verdict:
    code = error.code
    if code in _BYTES_ALONE or (code in _KEY_IN_REVEAL and _is_reveal(raw, consensus)):
        return Verdict.FORGED
    if code in _NO_ROOM or code.startswith("mempool-"):
        return Verdict.CROWDED
    return Verdict.EARLY if code == "stamp-anchor" and _is_ahead(error) else Verdict.ELSEWHERE


def _is_reveal(raw: bytes, consensus: Consensus) -> bool:
    return isinstance(operations.decode(raw, consensus), Reveal)


def _is_ahead(error: RemoteError) -> bool:
    anchor, newest = error.detail.get("anchor"), error.detail.get("newest")
    return isinstance(anchor, int) and isinstance(newest, int) and anchor > newest
