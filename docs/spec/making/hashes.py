"""hashes.json: H(tag, …) for every tag, and the one BLAKE2s hash."""

from typing import Final

from docs.spec.making.values import GENESIS, Document, secret
from meshchain.crypto.hashing import short_hash, tagged_hash

_A, _B, _C, _KEY = secret("field a"), secret("field b"), secret("field c"), b"\2" + secret("field key")
_BODY: Final = bytes.fromhex("a1646b696e6466636f6d6d6974")

CASES: Final[tuple[tuple[str, tuple[bytes, ...]], ...]] = (
    ("block", (bytes(range(124)),)),
    ("ops", (bytes(4),)),
    ("ops", (b"\0\0\0\2", _A, _B)),
    ("op", (GENESIS, _BODY)),
    ("wop", (_BODY,)),
    ("commit", (GENESIS, _A, _KEY, b"\0\0\2\xd0", b"alice")),
    ("host", (GENESIS, _KEY, _B, b"alice")),
    ("stamp", (b"\0\0\5\xa0", _A[:8], _BODY, b"")),
    ("stamp", (b"\0\0\5\xa0", _A[:8], _BODY, _A + _B)),
    ("key", (b"alice",)),
    ("entry", (_BODY,)),
    ("leaf", (_A, _B)),
    ("node", (_A, _B)),
    ("node", (bytes(32), _B)),
    ("network", (_BODY,)),
    ("message", (GENESIS, "hello, wörld".encode())),
    ("wallet-owner", (b"\0", _A + _B, b"alice")),
    ("wallet-receive", (b"\0", _A + _B, b"\0\0\0\0")),
    ("wallet-salt", (_A + _B, b"alice")),
)


def document() -> Document:
    tagged = [
        {"tag": tag, "fields": [field.hex() for field in fields], "hash": tagged_hash(tag, *fields).hex()}
        for tag, fields in CASES
    ]
    short = [
        {"person": "meshaddr", "data": data.hex(), "hash": short_hash("meshaddr", data).hex()}
        for data in (b"", _A, bytes(32))
    ]
    return {"tagged": tagged, "short": short}
