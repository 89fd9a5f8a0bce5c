"""The book and the anchors on disk: one canonical encoding, read back strictly."""

import random
from collections.abc import Sequence

from meshchain.ledger import codec, shape
from meshchain.ledger.codec import Value
from meshchain.ledger.errors import CodecError, StoreError
from meshchain.p2p.actions import Endpoint
from meshchain.p2p.addresses.book import AddressBook, Known


def encode(book: AddressBook, anchors: Sequence[Endpoint]) -> bytes:
    known: list[Value] = [
        [k.endpoint.ip, k.endpoint.port, k.source, k.key, k.seen, k.tried, k.answered, k.failures, tried]
        for k, tried in book.all()
    ]
    return codec.encode([book.secret, known, [[anchor.ip, anchor.port] for anchor in anchors]])


def decode(data: bytes, rng: random.Random, wall: float) -> tuple[AddressBook, list[Endpoint]]:
    """The book and the anchors that encode() was given. StoreError "damaged"."""
    try:
        secret, rows, anchors = _parts(shape.array(codec.decode(data), "addresses"), 3)
        if not isinstance(secret, bytes) or len(secret) != 32:
            raise CodecError("field-bytes", "the secret has 32 bytes")
        book = AddressBook(secret, rng)
        for row in shape.array(rows, "known addresses"):
            known, tried = _known(_parts(shape.array(row, "an address"), 9))
            book.restore(known, wall, tried=tried)
        return book, [_endpoint(_parts(shape.array(row, "an anchor"), 2)) for row in shape.array(anchors, "anchors")]
    except CodecError as error:
        raise StoreError("damaged", f"the address book is damaged: {error}") from error


def _parts(items: list[Value], count: int) -> list[Value]:
    if len(items) != count:
        raise CodecError("field-count", f"{len(items)} fields, not {count}")
    return items


def _endpoint(fields: list[Value]) -> Endpoint:
    ip, port = fields
    if not isinstance(ip, bytes) or len(ip) != 16 or not isinstance(port, int) or not 0 < port <= shape.U16:
        raise CodecError("field-type", "an endpoint is 16 bytes and a port")
    return Endpoint(ip, port)


def _known(fields: list[Value]) -> tuple[Known, bool]:
    source, key, *times, tried = fields[2:]
    if not isinstance(source, bytes) or not isinstance(tried, bool):
        raise CodecError("field-type", "a source is bytes, tried is a flag")
    if key is not None and (not isinstance(key, bytes) or len(key) != 32):
        raise CodecError("field-type", "a key is 32 bytes or null")
    numbers = [number for number in times if isinstance(number, int) and not isinstance(number, bool)]
    if len(numbers) != 4:
        raise CodecError("field-type", "times and counts are integers")
    return Known(_endpoint(fields[:2]), source, key, *numbers), tried
