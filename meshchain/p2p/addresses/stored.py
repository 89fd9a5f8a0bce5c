"""The book and the anchors on disk: one canonical encoding, read back strictly.

``[1, secret, [[ip, port, source, key, seen, tried, answered, failures, in tried], …], [[ip, port], …]]``
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from meshchain.ledger import codec, shape
from meshchain.ledger.codec import Value
from meshchain.ledger.errors import CodecError, StoreError
from meshchain.p2p.actions import Endpoint
from meshchain.p2p.addresses.book import AddressBook
from meshchain.p2p.addresses.group import group_of
from meshchain.p2p.addresses.known import MOST_FAILURES, Known

VERSION: Final = 1
_GREATEST_SOURCE: Final = 32
_LATEST: Final = 2**53
"""Unix seconds; far from where anything could be added to them that no longer fits."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The book as it was at a moment. Taking one is quick; ``encode`` takes 0.35 s for the greatest, in any thread."""

    secret: bytes
    known: Sequence[tuple[Known, bool]]
    anchors: Sequence[Endpoint]

    @classmethod
    def of(cls, book: AddressBook, anchors: Sequence[Endpoint]) -> "Snapshot":
        return cls(book.secret, book.all(), tuple(anchors))

    def encode(self) -> bytes:
        known: list[Value] = [
            [k.endpoint.ip, k.endpoint.port, k.source, k.key, k.seen, k.tried, k.answered, k.failures, tried]
            for k, tried in self.known
        ]
        return codec.encode([VERSION, self.secret, known, [[anchor.ip, anchor.port] for anchor in self.anchors]])


def encode(book: AddressBook, anchors: Sequence[Endpoint]) -> bytes:
    return Snapshot.of(book, anchors).encode()


def decode(
    data: bytes, rng: random.Random, wall: float, position: Callable[[bytes], bytes] = group_of
) -> tuple[AddressBook, list[Endpoint]]:
    """The book and the anchors that encode() was given; what finds no place is left out. StoreError "damaged"."""
    try:
        version, secret, rows, anchors = _parts(codec.decode(data), 4)
        _uint(version, VERSION, VERSION)
        book = AddressBook(_bytes(secret, 32, 32), rng, position)
        for row in shape.array(rows, "known addresses"):
            known, tried = _known(_parts(row, 9))
            book.restore(known, wall, tried=tried)
        return book, [_endpoint(*_parts(row, 2)) for row in shape.array(anchors, "anchors")]
    except CodecError as error:
        raise StoreError("damaged", f"the address book is damaged: {error}") from error


def _parts(value: Value, count: int) -> list[Value]:
    items = shape.array(value, "a row")
    if len(items) != count:
        raise CodecError("field-count", f"{len(items)} fields, not {count}")
    return items


def _bytes(value: Value, least: int, most: int) -> bytes:
    if not isinstance(value, bytes) or not least <= len(value) <= most:
        raise CodecError("field-bytes", f"{least} to {most} bytes belong here")
    return value


def _uint(value: Value, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise CodecError("field-uint", f"an integer from {least} to {most} belongs here")
    return value


def _endpoint(ip: Value, port: Value) -> Endpoint:
    return Endpoint(_bytes(ip, 16, 16), _uint(port, 1, shape.U16))


def _known(fields: list[Value]) -> tuple[Known, bool]:
    ip, port, source, key, seen, last, answered, failures, tried = fields
    if not isinstance(tried, bool):
        raise CodecError("field-bool", "whether it stands in tried is true or false")
    known = Known(
        _endpoint(ip, port),
        _bytes(source, 0, _GREATEST_SOURCE),
        None if key is None else _bytes(key, 32, 32),
        seen=_uint(seen, 0, _LATEST),
        tried=_uint(last, 0, _LATEST),
        answered=_uint(answered, 0, _LATEST),
        failures=_uint(failures, 0, MOST_FAILURES),
    )
    return known, tried
