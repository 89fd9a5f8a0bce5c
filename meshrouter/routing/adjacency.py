"""One neighbour, as routing sees it: what each has told the other, what it is still to be told, and its budgets.

Every budget belongs to a neighbour that has proven who it is; nothing is limited by ids, which cost nothing to make.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from meshrouter.directory import Role
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.routing.digest import Account, Heard
from meshrouter.tokens import Bucket
from meshrouter.wire.control import Retract, Update

MOST_HEARD: Final = 8192
"""Origins remembered of what a neighbour says, with those that are refused: twice a full table, 2 MB."""


class Need(IntEnum):
    """Why somebody is to be told of an origin."""

    CHANGE = 0
    """It may wait for the others."""
    NEWS = 1
    """Found or lost, or asked for: at once."""
    REPEAT = 2
    """At once, even if it was told before."""


def _verify() -> Bucket:
    """Signatures checked: 138 µs each, so a neighbour can take 3 % of a core for long, and a tenth of a second once."""
    return Bucket(200, 1024)


def _messages() -> Bucket:
    """UPDATEs and RETRACTs taken, 0.1 ms each: twice what a neighbour that keeps to its own budget sends."""
    return Bucket(400, 4096)


def _updates() -> Bucket:
    """UPDATEs and RETRACTs sent: 20 kB/s for long, and a whole table of a large zone at once."""
    return Bucket(200, 1024)


def _questions() -> Bucket:
    """SEQNO_REQs and ROUTE_REQs taken from it. A node that lost a neighbour may ask for all of a zone."""
    return Bucket(20, 256)


def _dumps() -> Bucket:
    """DUMPs answered."""
    return Bucket(0.5, 2)


@dataclass(eq=False, slots=True)
class Adjacency:
    neighbour: Neighbour
    role: Role
    told: Account = field(default_factory=Account)
    heard: Heard = field(default_factory=Heard)
    keyed: dict[bytes, None] = field(default_factory=dict)
    """Origins whose key was sent in this session."""
    pending: dict[bytes, Need] = field(default_factory=dict)
    repeats: dict[bytes, Update | Retract] = field(default_factory=dict)
    """What to say a second time on a link that loses frames."""
    messages: Bucket = field(default_factory=_messages)
    verify: Bucket = field(default_factory=_verify)
    updates: Bucket = field(default_factory=_updates)
    questions: Bucket = field(default_factory=_questions)
    asked: Bucket = field(default_factory=_questions)
    """ROUTE_REQs sent to it."""
    dumps: Bucket = field(default_factory=_dumps)

    @property
    def relays(self) -> bool:
        """Whether what it says of others counts."""
        return self.role is Role.MEMBER

    def needs(self, origin: bytes, need: Need) -> None:
        self.pending[origin] = max(need, self.pending.get(origin, Need.CHANGE))
