"""renew: lost when another renewal moved the expiry first; the primary host's node key may have signed it."""

from meshchain.ledger.entry import OWNER_SIZE, NameEntry
from meshchain.ledger.operations import Renew
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Ended, Item, Phase, Verdict
from meshchain.ledger.queue.judging.confirmed import confirmed
from meshchain.ledger.queue.judging.life import living
from meshchain.ledger.queue.judging.owner import other_owner
from meshchain.ledger.queue.shelf import Shelf
from meshchain.ledger.record import primary_key


def judge(item: Item, operation: Renew, facts: Facts, shelf: Shelf) -> Verdict | Ended:
    if (stands := confirmed(item, facts)) is not None:
        return stands
    entry = living(item, operation, facts, shelf)
    if not isinstance(entry, NameEntry):
        return entry
    if entry.expires != operation.expires:
        return _other_expiry(operation, entry, facts)
    if item.signer not in (entry.owner, primary_key(entry.record)):
        return _other_signer(item, operation.name, entry, facts)
    if facts.height + facts.consensus.expiry <= entry.expires:
        return Verdict(
            phase=Phase.HELD,
            reason=f"{operation.name} already lives as long as a renewal in the next block would give it",
            next_change="with the next block",
            blocks_to_go=1,
        )
    return Verdict(phase=Phase.READY, reason="to be sent", next_change="the next block may hold it")


def _other_expiry(operation: Renew, entry: NameEntry, facts: Facts) -> Verdict | Ended:
    """An expiry is the height of the block that set it + the term: an earlier renewal may still come to set it."""
    if entry.expires < operation.expires and facts.height + facts.consensus.expiry <= operation.expires:
        return Verdict(
            phase=Phase.HELD,
            reason="a reorg took out the operation that set the expiry which this one names",
            next_change=f"when it is back; given up at block {operation.expires - facts.consensus.expiry}",
        )
    message = f"{operation.name} has another expiry by now: block {entry.expires}"
    return facts.lost("expires-mismatch", message, facts.renewal(operation.name, entry))


def _other_signer(item: Item, name: str, entry: NameEntry, facts: Facts) -> Verdict | Ended:
    if len(item.signer) == OWNER_SIZE:
        return other_owner(item, name, entry, facts)
    message = f"the node that signed this is not the primary host of {name} any more"
    return facts.ended("refused", "signature", message)
