"""reveal: waits for its commit, then for the commit's depth; lost when a rival registers the name first."""

from meshchain.ledger.operations import Reveal
from meshchain.ledger.queue.facts import Facts
from meshchain.ledger.queue.item import Ended, Item, Phase, Verdict
from meshchain.ledger.queue.judging.confirmed import confirmed
from meshchain.ledger.state import Commitment


def judge(item: Item, operation: Reveal, facts: Facts) -> Verdict | Ended:
    if (stands := confirmed(item, facts)) is not None:
        return stands
    taken = facts.entry(operation.name)
    if taken is not None:
        message = f"{operation.name} was registered by another operation in block {taken.registered}"
        return facts.lost("name-taken", message, facts.registering(operation.name, taken))
    known = facts.commitment(item.commitment)
    return _without_commit(operation, facts) if known is None else _with_commit(operation, known, facts)


def born_range(facts: Facts) -> int:
    """A commit may lie this many blocks after its reveal's born."""
    c = facts.consensus
    return c.expiry + c.grace - c.commit_life


def _without_commit(operation: Reveal, facts: Facts) -> Verdict | Ended:
    if facts.height - operation.born > born_range(facts):
        return _too_old(operation, facts)
    ahead = operation.born - facts.height
    return Verdict(
        phase=Phase.COMING if ahead <= 0 else Phase.HELD,
        reason="waits for its commit to be confirmed",
        next_change="when a block holds the commit",
        blocks_to_go=ahead if ahead > 0 else None,
    )


def _with_commit(operation: Reveal, known: Commitment, facts: Facts) -> Verdict | Ended:
    if known.height < operation.born:
        return _committed_early(operation, known, facts)
    if known.height - operation.born > born_range(facts):
        return _too_old(operation, facts)
    from_height = known.height + facts.consensus.commit_depth
    if facts.height >= from_height:
        last = known.height + facts.consensus.commit_life
        return Verdict(
            phase=Phase.READY,
            committed=True,
            reason=f"its commit of block {known.height} is deep enough",
            next_change=f"the next block may hold it; after block {last} the commit is made anew",
        )
    return Verdict(
        phase=Phase.COMING,
        committed=True,
        reason=f"its commit stands in block {known.height} and must be {facts.consensus.commit_depth} blocks deep",
        next_change=f"sent for block {from_height}",
        blocks_to_go=from_height - facts.height,
    )


def _committed_early(operation: Reveal, known: Commitment, facts: Facts) -> Verdict:
    again = known.height + facts.consensus.commit_life + 1
    return Verdict(
        phase=Phase.HELD,
        reason=f"its commit of block {known.height} came before block {operation.born}, from which it counts",
        next_change=f"the commit is made anew from block {again} on",
        blocks_to_go=again - facts.height,
    )


def _too_old(operation: Reveal, facts: Facts) -> Ended:
    message = f"a commit may follow block {operation.born} by {born_range(facts)} blocks; register the name anew"
    return facts.ended("expired", "born-range", message)
