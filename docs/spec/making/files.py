"""All vector files: name → text."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from docs.spec.making import (
    blocks,
    codec,
    difficulty,
    gossip_compact,
    gossip_greeting,
    gossip_messages,
    gossip_streams,
    hashes,
    headers,
    meshp_announcements,
    meshp_formats,
    meshp_groups,
    meshp_handshakes,
    meshp_sealed,
    meshp_traces,
    names,
    operations,
    records,
    signatures,
    stamps,
    tree,
    wallet,
)
from docs.spec.making.values import Document

DOCUMENTS: Final[Mapping[str, Callable[[], Document]]] = {
    "codec.json": codec.document,
    "hashes.json": hashes.document,
    "signatures.json": signatures.document,
    "names.json": names.document,
    "records.json": records.document,
    "operations.json": operations.document,
    "stamps.json": stamps.document,
    "headers.json": headers.document,
    "difficulty.json": difficulty.document,
    "tree.json": tree.document,
    "wallet.json": wallet.document,
    "chain.json": blocks.document,
    "gossip-streams.json": gossip_streams.document,
    "gossip-greeting.json": gossip_greeting.document,
    "gossip-messages.json": gossip_messages.document,
    "gossip-compact.json": gossip_compact.document,
    "meshp-formats.json": meshp_formats.document,
    "meshp-handshakes.json": meshp_handshakes.document,
    "meshp-sealed.json": meshp_sealed.document,
    "meshp-announcements.json": meshp_announcements.document,
    "meshp-traces.json": meshp_traces.document,
    "meshp-groups.json": meshp_groups.document,
}


def text(document: Document) -> str:
    return json.dumps(document, indent=1) + "\n"


def texts() -> Iterator[tuple[str, str]]:
    for name, make in DOCUMENTS.items():
        yield name, text(make())
