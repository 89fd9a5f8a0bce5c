"""Neighbours for a while: who is on the same link and is sent traffic through somebody else on it.

A router that forwards out of the link on which a packet came tells the previous hop (REDIRECT), who then talks to the
next one directly. That is worth a place among the neighbours for as long as it is used: who has had no data for a
minute, and is not needed otherwise, is told BYE. Whoever began it decides, because its traffic was the reason.
"""

from collections.abc import Callable
from typing import Final

from meshrouter.neighbours.bond import Bond
from meshrouter.neighbours.ground import WANTED, Ground
from meshrouter.neighbours.keeping import Keeping
from meshrouter.wire.control import CLOSING, Redirect

UNUSED: Final = 60.0


def follow(bond: Bond, redirect: Redirect, reach: Callable[[bytes, bytes], None], now: float) -> bool:
    """Connect (``reach(key, address)``) to whom a neighbour has pointed at. False: not here, not now, or too often."""
    port = bond.port
    good = port.link.shared and redirect.address and redirect.key not in port.known and not port.full
    if good and bond.redirects.spend(1, now):
        reach(redirect.key, redirect.address)
        return True
    return False


def watch(ground: Ground, keeping: Keeping, bond: Bond, now: float) -> None:
    """Look now and then whether a neighbour that came by a REDIRECT is still used."""

    def look(later: float) -> None:
        idle = later - max(bond.neighbour.sent, bond.neighbour.since)
        if idle < UNUSED or len(bond.port.known) <= WANTED:
            ground.timers.at(("unused", bond), later + UNUSED / 2, look)
        else:
            keeping.dismiss(bond, CLOSING, "unused", later)

    ground.timers.at(("unused", bond), now + UNUSED, look)
