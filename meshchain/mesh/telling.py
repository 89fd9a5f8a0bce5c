"""What the ledger has to say to the router, as messages for its channel."""

from collections.abc import Iterable, Iterator
from typing import Any

from meshchain.ledger.chain.view import ChainView
from meshchain.mesh.bindings import own_addresses
from meshchain.mesh.watch import Answer
from meshrouter.binding_form import binding_to_json
from meshrouter.directory import Binding

Message = dict[str, Any]


def of_tip(view: ChainView, key: bytes, *, synced: bool) -> Iterator[Message]:
    """How far the ledger is, and which claimed addresses the node key (32 bytes) holds there."""
    yield {"type": "tip", "height": view.height, "synced": synced}
    yield {"type": "own", "addresses": [address.hex() for address in own_addresses(view, key)]}


def of_answers(answers: Iterable[Answer]) -> Iterator[Message]:
    """Bindings of keys and holders of addresses."""
    bindings, holders = [], []
    for subject, answer in answers:
        if isinstance(answer, Binding):
            bindings.append(binding_to_json(answer))
        else:
            holders.append([subject.hex(), None if answer is None else answer.hex()])
    if bindings:
        yield {"type": "bindings", "list": bindings}
    if holders:
        yield {"type": "holders", "list": holders}
