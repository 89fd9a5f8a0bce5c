"""The router's questions to the ledger, and what later blocks change of the answers.

Every subject, a key or a claimed address, that the router has asked about is *watched*: after each new tip its answer
is found again and told if it differs. That costs some tens of microseconds a subject, in a thread, and needs no
account of what a block or a reorg has touched. The router asks about nodes it has met, and forgets (``forget``) those
it has not met for long.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from meshchain.crypto.address import ADDRESS_SIZE
from meshchain.ledger.chain.view import ChainView
from meshchain.mesh.bindings import binding_of, holder_of
from meshrouter.directory import Binding

MOST_WATCHED: Final = 16_384
"""Subjects, well under a second of a thread for every tip; the longest asked goes first."""

Answer = tuple[bytes, Binding | bytes | None]
"""(key, its binding) or (address, the key that holds it)."""


def find(view: ChainView, subject: bytes) -> Binding | bytes | None:
    """The answer for one subject: a key has 32 bytes, an address 16."""
    return holder_of(view, subject) if len(subject) == ADDRESS_SIZE else binding_of(view, subject)


class Watch:
    """Not thread-safe: one call at a time. ``find``: a simulation's remembers what many nodes ask alike."""

    def __init__(self, find: Callable[[ChainView, bytes], Binding | bytes | None] = find) -> None:
        self._find_now = find
        self._answers: OrderedDict[bytes, Binding | bytes | None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def ask(self, view: ChainView, subjects: Iterable[bytes]) -> list[Answer]:
        """Answers to all of them, to be watched from now on."""
        return [(subject, self._find(view, subject)) for subject in subjects]

    def forget(self, subjects: Iterable[bytes]) -> None:
        for subject in subjects:
            self._answers.pop(subject, None)

    def moved(self, view: ChainView) -> list[Answer]:
        """What differs under a new tip."""
        before = dict(self._answers)
        return [(subject, now) for subject, old in before.items() if (now := self._find(view, subject)) != old]

    def _find(self, view: ChainView, subject: bytes) -> Binding | bytes | None:
        answer = self._answers[subject] = self._find_now(view, subject)
        if len(self._answers) > MOST_WATCHED:
            self._answers.popitem(last=False)
        return answer
