"""The strict checks stand above the arms: an arm that accepts everything must not be asked about these.

The libraries of today refuse some of them too; the rule must not rest on that.
"""

from typing import Any

import pytest

from meshchain.crypto import (
    ECDSA_ORDER,
    arms,
    is_ecdsa_public_key,
    open_aes_gcm,
    open_chacha20poly1305,
    verify_ecdsa,
    verify_ed25519,
    x25519,
)
from tests.crypto.models import edwards25519, secp256k1


class _CredulousArm:
    """Says yes to every question, opens everything, and agrees on the secret 0."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - one answer for every question
        return lambda *arguments: bytes(32) if name == "x25519" else True


@pytest.fixture(autouse=True)
def _credulous(monkeypatch: pytest.MonkeyPatch) -> None:
    is_ecdsa_public_key.cache_clear()
    monkeypatch.setattr(arms, "_in_use", ("credulous", _CredulousArm()))


def _big(value: int) -> bytes:
    return value.to_bytes(32, "big")


KEY = secp256k1.encode(secp256k1.BASE)
SIGNATURE = _big(1) + _big(1)
NODE_KEY = edwards25519.encode(edwards25519.BASE)


def test_the_arm_is_asked_about_sound_input() -> None:
    assert verify_ecdsa(KEY, bytes(32), _big(ECDSA_ORDER - 1) + _big(ECDSA_ORDER // 2))
    assert verify_ed25519(NODE_KEY, b"", bytes(64))
    assert is_ecdsa_public_key(KEY)


@pytest.mark.parametrize(
    ("key", "digest", "signature"),
    [
        (KEY[:32], bytes(32), SIGNATURE),
        (KEY + b"\0", bytes(32), SIGNATURE),
        (b"\x01" + KEY[1:], bytes(32), SIGNATURE),
        (b"\x04" + KEY[1:], bytes(32), SIGNATURE),
        (b"\x06" + KEY[1:], bytes(32), SIGNATURE),
        (KEY, bytes(31), SIGNATURE),
        (KEY, bytes(33), SIGNATURE),
        (KEY, bytes(32), SIGNATURE[:63]),
        (KEY, bytes(32), SIGNATURE + b"\0"),
        (KEY, bytes(32), _big(0) + _big(1)),
        (KEY, bytes(32), _big(ECDSA_ORDER) + _big(1)),
        (KEY, bytes(32), _big(1) + _big(0)),
        (KEY, bytes(32), _big(1) + _big(ECDSA_ORDER // 2 + 1)),
        (KEY, bytes(32), _big(1) + _big(ECDSA_ORDER + 1)),
    ],
)
def test_ecdsa(key: bytes, digest: bytes, signature: bytes) -> None:
    assert not verify_ecdsa(key, digest, signature)


@pytest.mark.parametrize("key", [b"", KEY[:32], KEY + b"\0", b"\x01" + KEY[1:], b"\x04" + KEY[1:], b"\x07" + KEY[1:]])
def test_ecdsa_keys(key: bytes) -> None:
    assert not is_ecdsa_public_key(key)


@pytest.mark.parametrize(
    ("key", "signature"),
    [
        (NODE_KEY[:31], bytes(64)),
        (NODE_KEY + b"\0", bytes(64)),
        (NODE_KEY, bytes(63)),
        (NODE_KEY, bytes(65)),
        (NODE_KEY, bytes(32) + edwards25519.L.to_bytes(32, "little")),
        *((edwards25519.encode(point), bytes(64)) for point in edwards25519.small_order_points()),
        *((y.to_bytes(32, "little"), bytes(64)) for y in range(edwards25519.P, 2**255)),
        *((y.to_bytes(32, "little"), bytes(64)) for y in range(2**255 + edwards25519.P, 2**256)),
    ],
)
def test_ed25519(key: bytes, signature: bytes) -> None:
    assert not verify_ed25519(key, b"", signature)


def test_x25519() -> None:
    with pytest.raises(ValueError, match="small order"):
        x25519(bytes(32), bytes(32))


@pytest.mark.parametrize("size", [0, 1, 15])
def test_sealed_texts_hold_a_tag(size: int) -> None:
    assert open_aes_gcm(bytes(32), bytes(12), bytes(size), b"") is None
    assert open_chacha20poly1305(bytes(32), bytes(12), bytes(size), b"") is None
