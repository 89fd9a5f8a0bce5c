"""Whether the life of a name that an operation was signed for is there, still to come, or over."""

from meshchain.ledger.entry import NameEntry
from meshchain.ledger.operations import Renew, Revoke, Transfer, Update
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Ended, Item, Phase, Verdict
from meshchain.ledger.queue.shelf import Shelf


def living(
    item: Item, operation: Update | Renew | Transfer | Revoke, facts: Facts, shelf: Shelf
) -> NameEntry | Verdict | Ended:
    """The entry that ``operation`` speaks of, if it is there and not revoked."""
    entry = facts.entry(operation.name)
    if entry is None:
        return _absent(item, operation.name, facts, shelf)
    if entry.reg != operation.reg:
        return _other_life(item, operation.name, entry, facts)
    if entry.revoked:
        return facts.lost("name-revoked", f"{operation.name} is revoked", facts.owner_operation(operation.name, entry))
    return entry


def _absent(item: Item, name: str, facts: Facts, shelf: Shelf) -> Verdict | Ended:
    reveal = shelf.registration(name, item.reg)
    if reveal is not None and reveal.ended is not None:
        cause = reveal.ended
        return facts.ended(cause.state, cause.code, f"its registration failed: {cause.message}", cause.winner)
    if reveal is not None and reveal.alive:
        return Verdict(
            phase=Phase.COMING,
            reason=f"waits for the registration of {name}",
            next_change="when the reveal is confirmed",
        )
    if facts.height >= item.life_end or facts.was_registered(name, item.reg):
        return facts.ended("expired", "name-expired", f"{name} expired before this could be confirmed")
    return Verdict(
        phase=Phase.HELD,
        reason=f"a reorg took the registration of {name} out of the chain",
        next_change=f"when the registration is back; given up at block {item.life_end}",
    )


def _other_life(item: Item, name: str, entry: NameEntry, facts: Facts) -> Ended:
    if item.life_end and entry.registered >= item.life_end:
        return facts.ended("expired", "name-expired", f"{name} expired before this could be confirmed")
    message = f"{name} was registered by another operation in block {entry.registered}"
    return facts.lost("reg-mismatch", message, facts.registering(name, entry))
