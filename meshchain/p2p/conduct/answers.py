"""How much a question may draw in answer."""

from typing import Final, NamedTuple

from meshchain.p2p.messages import (
    Addresses,
    BlockMessage,
    BlockOperations,
    GetAddresses,
    GetBlockOperations,
    GetBlocks,
    GetHeaders,
    GetOperations,
    Headers,
    Message,
    Operations,
)

_IN_FULL: Final = 16
"""Operations of the greatest size that surely fit into one message."""


class Answer(NamedTuple):
    type: type[Message]
    messages: int
    full: int
    """To how many of the greatest size all their bytes come."""


def answer_of(question: Message) -> Answer | None:
    """The largest answer; None for a message that asks nothing."""
    match question:
        case GetHeaders():
            return Answer(Headers, 1, 1)
        case GetBlocks(ids=ids):
            return Answer(BlockMessage, len(ids), len(ids))
        case GetBlockOperations():
            return Answer(BlockOperations, 1, 1)
        case GetOperations(wids=wids):
            return Answer(Operations, len(wids), 1 + len(wids) // _IN_FULL)
        case GetAddresses():
            return Answer(Addresses, 1, 1)
    return None
