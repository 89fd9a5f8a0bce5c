"""meshp-announcements.json: what origins sign, and how neighbours compare what they hold."""

from typing import Final

from docs.spec.making.meshp_formats import key_of
from docs.spec.making.values import GENESIS, Document, Json, secret
from meshchain.crypto import sign_ed25519
from meshchain.crypto.address import node_id
from meshrouter.routing.digest import Account
from meshrouter.wire.control import Update, announcement

_CASES: Final = (
    ("ann", 1001, 262_800, 3, 0),
    ("ann", 1002, 262_801, 3, 0),
    ("ben", 2**64 - 1, 2**32 - 1, 0xFFFF, 0xFFFF),
    ("cat", 0, 0, 0, 0),
)


def document() -> Document:
    return {
        "genesis": GENESIS.hex(),
        "announcements": [_case(*case) for case in _CASES],
        "digests": [_digest(()), _digest(_CASES[1:3]), _digest(_CASES[1:])],
    }


def _digest(told: tuple[tuple[str, int, int, int, int], ...]) -> Json:
    """Of routes told with metrics 96, 192 and so on."""
    account = Account()
    routes = [(key_of(word), seqno, 96 * (at + 1)) for at, (word, seqno, *_) in enumerate(told)]
    for key, seqno, metric in routes:
        account.put(_id_of(key), key, seqno, metric)
    total, count = account.digest
    shown: list[Json] = [{"key": key.hex(), "seqno": seqno, "metric": metric} for key, seqno, metric in routes]
    return {"routes": shown, "digest": total, "count": count}


def _id_of(key: bytes) -> bytes:
    origin = node_id(key)
    assert origin is not None
    return origin


def _case(word: str, seqno: int, height: int, caps: int, zone: int) -> Json:
    key = key_of(word)
    origin = _id_of(key)
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
