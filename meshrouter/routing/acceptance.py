"""Which UPDATEs are refused by rule, whatever their signature: the cheap questions, asked first.

What is refused here is refused for as long as the ledger says what it says, so it counts as heard: else the digests
would differ for ever, and each DUMP would bring the same again.
"""

from meshrouter.directory import Directory, Role
from meshrouter.routing.adjacency import Adjacency
from meshrouter.routing.own import HEIGHT_WINDOW, MOST_SEQNO
from meshrouter.routing.table import MINIMUM_COST, Origin
from meshrouter.wire.control import Update


def refusal(
    update: Update, key: bytes, sender: Adjacency, known: Origin | None, directory: Directory, zone: int
) -> str | None:
    """The rule that it breaks (a word for the counters), or None. ``key``: of the origin; ``zone``: ours."""
    if known is not None and known.key != key:
        return "route-key"
    if update.id != sender.neighbour.id:
        if not sender.relays:
            return "route-guest"
        if update.metric < MINIMUM_COST:
            return "route-metric"
    if update.seqno > MOST_SEQNO:
        return "route-seqno"
    if is_too_old(update.height, directory):
        return "route-height"
    return None if update.zone == zone else "route-zone"


def is_too_old(height: int, directory: Directory) -> bool:
    """Being ahead of us is no fault: our ledger may be behind."""
    return directory.tip.synced and height < directory.tip.height - HEIGHT_WINDOW


def refused_by_ledger(key: bytes, directory: Directory, zone: int) -> str | None:
    """What the ledger has against an origin. Makes the directory ask about the key."""
    binding = directory.binding(key)
    if binding.role is Role.BARRED:
        return "route-barred"
    return "route-zone" if binding.zone not in (None, zone) else None
