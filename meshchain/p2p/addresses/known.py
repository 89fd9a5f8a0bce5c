"""One address, and what is known of it."""

from dataclasses import dataclass
from typing import Final

from meshchain.p2p.actions import Endpoint

STALE: Final = 30 * 86400
"""Seconds after which an address that nobody has seen gives up its place to any other."""
HOPELESS: Final = 3
"""Failures in a row after which an address that never answered is not tried again."""
SHAKEN: Final = 2
"""Failures in a row after which an address that once answered gives up its place in *tried*."""
MOST_FAILURES: Final = 1000
"""Counted; more make no difference."""
PAUSE: Final = 60.0
"""Seconds between two attempts at an address that answered the first."""
_RETRY: Final = 600.0
"""Seconds before a failed address is tried again, doubled with every failure in a row, at most six times."""


@dataclass(frozen=True, slots=True)
class Known:
    """Times are unix seconds by this node's clock, 0 for never. The clock may have been wrong at any of them."""

    endpoint: Endpoint
    source: bytes
    """Position of whoever told us first."""
    key: bytes | None
    """Node key: hearsay, until the address has answered."""
    seen: int
    """When it was last said to be up."""
    tried: int = 0
    answered: int = 0
    failures: int = 0
    """In a row, as far as they count (see AddressBook.attempted)."""

    def is_bad(self, wall: float) -> bool:
        """Whether any other address may have its place."""
        return self.is_hopeless or wall - max(self.seen, self.answered) > STALE

    @property
    def is_hopeless(self) -> bool:
        return self.failures >= HOPELESS and self.answered == 0

    @property
    def proven_key(self) -> bytes | None:
        """The key with which it answered."""
        return self.key if self.answered else None

    def is_due(self, wall: float) -> bool:
        """Whether enough time has passed since the last attempt; also after the clock was set back."""
        wait = _RETRY * 2 ** min(max(self.failures - 1, 0), 6) if self.tried != self.answered else PAUSE
        return not 0 <= wall - self.tried < wait
