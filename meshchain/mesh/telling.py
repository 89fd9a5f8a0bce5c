"""What the ledger has to say to the router, as messages for its channel."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from meshchain.ledger.chain.view import ChainView
from meshchain.mesh.bindings import own_addresses
from meshchain.mesh.watch import Answer
from meshrouter.binding_form import binding_to_json
from meshrouter.directory import Binding

Message = dict[str, Any]

MOST_ANSWERS: Final = 2048
"""In one message: a binding takes 350 bytes at most, and the channel 1 MiB."""


def of_tip(view: ChainView, key: bytes, *, synced: bool) -> Iterator[Message]:
    """How far the ledger is, and which claimed addresses the node key (32 bytes) holds there."""
    yield {"type": "tip", "height": view.height, "synced": synced}
    yield {"type": "own", "addresses": [address.hex() for address in own_addresses(view, key)]}


def of_answers(answers: Sequence[Answer]) -> Iterator[Message]:
    """Bindings of keys and holders of addresses, as many in a message as fit one."""
    for start in range(0, len(answers), MOST_ANSWERS):
        bindings, holders = [], []
        for subject, answer in answers[start : start + MOST_ANSWERS]:
            if isinstance(answer, Binding):
                bindings.append(binding_to_json(answer))
            else:
                holders.append([subject.hex(), None if answer is None else answer.hex()])
        if bindings:
            yield {"type": "bindings", "list": bindings}
        if holders:
            yield {"type": "holders", "list": holders}
