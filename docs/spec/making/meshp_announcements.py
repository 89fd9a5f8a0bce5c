"""meshp-announcements.json: what origins sign, and how neighbours compare what they hold."""

from typing import Final

from docs.spec.making.meshp_formats import key_of
from docs.spec.making.values import GENESIS, Document, Json, secret
from meshchain.crypto import sign_ed25519
from meshchain.crypto.address import node_id
from meshrouter.wire.control import Update, announcement

_CASES: Final = (
    ("ann", 1001, 262_800, 3, 0),
    ("ann", 1002, 262_801, 3, 0),
    ("ben", 2**64 - 1, 2**32 - 1, 0xFFFF, 0xFFFF),
    ("cat", 0, 0, 0, 0),
)


def document() -> Document:
    return {"genesis": GENESIS.hex(), "announcements": [_case(*case) for case in _CASES]}


def _case(word: str, seqno: int, height: int, caps: int, zone: int) -> Json:
    key = key_of(word)
    origin = node_id(key)
    assert origin is not None
    digest = announcement(GENESIS, key, seqno, height, caps, zone)
    signature = sign_ed25519(secret(f"node {word}"), digest)
    update = Update(id=origin, key=key, seqno=seqno, height=height, caps=caps, zone=zone, metric=0, signature=signature)
    return {
        "seed": secret(f"node {word}").hex(),
        "key": key.hex(),
        "id": origin.hex(),
        "fields": {"seqno": seqno, "height": height, "caps": caps, "zone": zone},
        "digest": digest.hex(),
        "signature": signature.hex(),
        "update": update.encode().hex(),
    }
