"""Answers about the chain: headers after a locator, blocks by id. Reads only, bounded by what one message holds."""

from collections.abc import Sequence

from meshchain.ledger.header import Header
from meshchain.p2p.actions import Action, Peer, Send
from meshchain.p2p.facts import Facts
from meshchain.p2p.messages import MAX_HEADERS, BlockMessage, GetBlocks, GetHeaders, Headers, NotFound, Wanted


def headers(facts: Facts, peer: Peer, question: GetHeaders) -> list[Action]:
    """The headers of the active chain after the first known block of the locator; none if nothing follows."""
    fork = _fork_height(facts, question.locator)
    found: list[Header] = []
    for height in range(fork + 1, fork + 1 + MAX_HEADERS):
        block_id = facts.main_id(height)
        entry = None if block_id is None else facts.header(block_id)
        if entry is None:
            break
        found.append(entry.header)
        if block_id == question.stop:
            break
    return [Send(peer, Headers(tuple(found)))]


def blocks(facts: Facts, peer: Peer, question: GetBlocks) -> list[Action]:
    """Each block on its own, then the ids that are not here."""
    answers: list[Action] = []
    missing: list[bytes] = []
    for block_id in question.ids:
        raw = facts.block_bytes(block_id)
        if raw is None:
            missing.append(block_id)
        else:
            answers.append(Send(peer, BlockMessage(raw)))
    if missing:
        answers.append(Send(peer, NotFound(Wanted.BLOCK, tuple(missing))))
    return answers


def _fork_height(facts: Facts, locator: Sequence[bytes]) -> int:
    for block_id in locator:
        entry = facts.header(block_id)
        if entry is not None and facts.is_main(entry):
            return entry.height
    return 0
