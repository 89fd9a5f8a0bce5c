"""update, transfer, revoke: lost when another operation of the name took the seq, or the owner is another."""

from meshchain.ledger.entry import NameEntry
from meshchain.ledger.operations import Revoke, Transfer, Update
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Ended, Item, Phase, Verdict
from meshchain.ledger.queue.judging.confirmed import confirmed
from meshchain.ledger.queue.judging.life import living
from meshchain.ledger.queue.shelf import Shelf


def judge(item: Item, operation: Update | Transfer | Revoke, facts: Facts, shelf: Shelf) -> Verdict | Ended:
    if (stands := confirmed(item, facts)) is not None:
        return stands
    entry = living(item, operation, facts, shelf)
    if not isinstance(entry, NameEntry):
        return entry
    name = operation.name
    if operation.seq <= entry.seq:
        message = f"another operation of {name} has taken seq {entry.seq}, this one has seq {operation.seq}"
        return facts.lost("seq-too-low", message, facts.owner_operation(name, entry))
    if entry.owner != item.signer:
        return other_owner(item, name, entry, facts)
    return _in_turn(operation, entry, facts)


def other_owner(item: Item, name: str, entry: NameEntry, facts: Facts) -> Verdict | Ended:
    """The owner's key does not own the name at this tip: it lost it, or does not have it yet."""
    if entry.seq >= item.base_seq:
        winner = facts.transfer_from(item.signer, name, entry)
        return facts.lost("signature", f"{name} was transferred to another owner", winner)
    return Verdict(
        phase=Phase.COMING,
        reason=f"waits for the transfer that gives {name} to the key which signed this",
        next_change=f"when the transfer is confirmed; given up at block {facts.life_end(entry)}",
    )


def _in_turn(operation: Update | Transfer | Revoke, entry: NameEntry, facts: Facts) -> Verdict:
    if not entry.active(facts.height):
        return Verdict(
            phase=Phase.HELD,
            reason=f"{operation.name} has expired; in grace only renew is valid",
            next_change=f"when {operation.name} is renewed; given up at block {facts.life_end(entry)}",
        )
    if operation.seq > entry.seq + facts.consensus.max_seq_step:
        return Verdict(
            phase=Phase.HELD,
            reason=f"seq {operation.seq} is too far ahead of the present {entry.seq}",
            next_change="when the operations between are confirmed",
        )
    return Verdict(phase=Phase.READY, reason="to be sent", next_change="the next block may hold it")
