"""Node keys: Ed25519, and its X25519 form for Noise.

The rule of the ledger: refuse S ≥ L, y ≥ p and small-order A; accept iff encode([S]B − [h]A) equals R
bytewise. RFC 8032 leaves a choice between this and the check multiplied by 8, and libraries chose
differently; a network that leaves it to them forks on the first crafted signature (Chalkias, Garillot,
Nikolaenko: "Taming the many EdDSAs", 2020).
"""

from functools import lru_cache
from hashlib import sha512
from typing import Final

from meshchain.crypto.arms import arm
from meshchain.crypto.curve25519 import ORDER, PRIME, SMALL_ORDER_YS, decode_point, encoded_y, montgomery_u

ED25519_KEY_SIZE: Final = 32
ED25519_SIGNATURE_SIZE: Final = 64


def _is_acceptable_y(key: bytes) -> bool:
    return len(key) == ED25519_KEY_SIZE and (y := encoded_y(key)) < PRIME and y not in SMALL_ORDER_YS


@lru_cache(maxsize=8192)
def is_ed25519_public_key(key: bytes) -> bool:
    """32 bytes, y < p, on the curve, not of small order (a part of small order is allowed)."""
    return _is_acceptable_y(key) and decode_point(key) is not None


def verify_ed25519(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """The rule above; False for anything else, of whatever length. Never raises."""
    return (
        len(signature) == ED25519_SIGNATURE_SIZE
        and int.from_bytes(signature[32:], "little") < ORDER
        and _is_acceptable_y(public_key)
        and arm().ed25519_verify(public_key, message, signature)
    )


def _check_seed(seed: bytes) -> None:
    if len(seed) != ED25519_KEY_SIZE:
        raise ValueError(f"an Ed25519 seed has 32 bytes, not {len(seed)}")


def sign_ed25519(seed: bytes, message: bytes) -> bytes:
    """64 bytes (RFC 8032 §5.1.6). ValueError unless the seed has 32 bytes."""
    _check_seed(seed)
    return arm().ed25519_sign(seed, message)


def ed25519_public_key(seed: bytes) -> bytes:
    """The 32-byte key of a seed. ValueError unless the seed has 32 bytes."""
    _check_seed(seed)
    return arm().ed25519_public_key(seed)


def x25519_public_from_ed25519(key: bytes) -> bytes:
    """The X25519 form of a node key (RFC 7748 §4.1), 32 bytes.

    ValueError for what is_ed25519_public_key refuses.
    """
    if not is_ed25519_public_key(key):
        raise ValueError("no Ed25519 public key: y not below p, off the curve or of small order")
    return montgomery_u(key)


def x25519_private_from_ed25519(seed: bytes) -> bytes:
    """The private key that belongs to it: the first half of SHA-512(seed), clamped (RFC 8032 §5.1.5)."""
    _check_seed(seed)
    half = bytearray(sha512(seed).digest()[:32])
    half[0] &= 0xF8
    half[31] = half[31] & 0x7F | 0x40
    return bytes(half)


def x25519(private_key: bytes, public_key: bytes) -> bytes:
    """The shared secret of RFC 7748 §5, 32 bytes.

    ValueError for keys of other sizes, and for a public key of small order, whose secret is all zero.
    """
    if len(private_key) != ED25519_KEY_SIZE or len(public_key) != ED25519_KEY_SIZE:
        raise ValueError("X25519 keys have 32 bytes")
    shared = arm().x25519(private_key, public_key)
    if not any(shared):
        raise ValueError("X25519 public key of small order")
    return shared
