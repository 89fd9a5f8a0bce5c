"""What the router knows of the ledger.

Theory of operation
-------------------
The ledger lives in another process (or beside, in simulations), and has far more names than a router ever meets. So the
router *asks* by key or by claimed address, goes on with other things, and is *told*: first the answer, later every
change that a block makes to it. ``Directory`` keeps the answers and the questions that are to be carried to the ledger
(``take_questions``). What nobody has used for long is forgotten and its changes no longer wanted; the number of entries
is bounded, because strangers can make a router ask.

Until it is told otherwise, a key is a guest's: the role that may do least without being refused.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeVar

T = TypeVar("T")

MOST_SUBJECTS: Final = 65_536
"""Keys and addresses remembered, about 20 MB: more than the nodes of a zone."""


class Role(IntEnum):
    BARRED = 0
    """Listed in a revoked name and in no living one: no handshakes, no announcements, no transit."""
    GUEST = 1
    """No living name vouches for it, or not deep enough yet."""
    MEMBER = 2
    """Bound to a living name, deep enough in the chain: it forwards."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What the ledger says of one node key (32 bytes)."""

    key: bytes
    role: Role = Role.GUEST
    name: str | None = None
    """Without .mesh: ``alice``, ``phone.alice``; None for a guest without any."""
    address: bytes | None = None
    """The claimed address it holds (16 bytes), None if it has only the derived one."""
    zone: int | None = None
    """What the record says; it beats what the node says itself."""


@dataclass(frozen=True, slots=True)
class Tip:
    """The own ledger's: ``synced`` tells whether ``height`` may be held against others."""

    height: int = 0
    synced: bool = False


class Directory:
    """``on_binding`` is called with every answer that differs from what was known (of a key or of an address)."""

    def __init__(self) -> None:
        self.tip = Tip()
        self.on_binding: Callable[[Binding], None] = lambda _binding: None
        self.on_holder: Callable[[bytes, bytes | None], None] = lambda _address, _key: None
        self._bindings: OrderedDict[bytes, Binding | None] = OrderedDict()
        self._holders: OrderedDict[bytes, tuple[bool, bytes | None]] = OrderedDict()
        self._questions: OrderedDict[bytes, None] = OrderedDict()
        self._forgotten: OrderedDict[bytes, None] = OrderedDict()

    # --- for the router ------------------------------------------------------------------------------------

    def binding(self, key: bytes) -> Binding:
        """What is known of a key now; asks the ledger at the first time."""
        if key not in self._bindings:
            self._ask(self._bindings, key, None)
        self._bindings.move_to_end(key)
        return self._bindings[key] or Binding(key)

    def role(self, key: bytes) -> Role:
        return self.binding(key).role

    def holder(self, address: bytes) -> bytes | None:
        """The key (32) that holds a claimed address (16); None while that is not known, or if nobody does."""
        if address not in self._holders:
            self._ask(self._holders, address, (False, None))
        self._holders.move_to_end(address)
        return self._holders[address][1]

    def is_answered(self, subject: bytes) -> bool:
        """Whether the ledger has said anything of a key or an address yet."""
        if len(subject) == 16:
            return self._holders.get(subject, (False, None))[0]
        return self._bindings.get(subject) is not None

    # --- for whoever carries questions and answers -----------------------------------------------------------

    @property
    def has_news(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._questions or self._forgotten)

    def take_questions(self) -> list[bytes]:
        """Keys (32 bytes) and addresses (16) that the ledger is to be asked about, and watched from now on."""
        asked = list(self._questions)
        self._questions.clear()
        return asked

    def take_forgotten(self) -> list[bytes]:
        """Keys and addresses whose changes are no longer wanted."""
        forgotten = list(self._forgotten)
        self._forgotten.clear()
        return forgotten

    def told_binding(self, binding: Binding) -> None:
        """An answer or a change. What was not asked about, or is forgotten, is left alone."""
        if binding.key in self._bindings and self._bindings[binding.key] != binding:
            self._bindings[binding.key] = binding
            self.on_binding(binding)

    def told_holder(self, address: bytes, key: bytes | None) -> None:
        """An answer or a change: who holds a claimed address now."""
        if address in self._holders and self._holders[address] != (True, key):
            self._holders[address] = (True, key)
            self.on_holder(address, key)

    def _ask(self, table: OrderedDict[bytes, T], subject: bytes, unknown: T) -> None:
        table[subject] = unknown
        self._questions[subject] = None
        self._forgotten.pop(subject, None)
        if len(table) > MOST_SUBJECTS:
            oldest, _ = table.popitem(last=False)
            self._questions.pop(oldest, None)
            self._forgotten[oldest] = None
