"""Owner keys: ECDSA on secp256k1 (SEC 1, SEC 2), one form of everything.

33-byte compressed keys, 64-byte r ‖ s with 1 ≤ r < n and 1 ≤ s ≤ n/2, over a 32-byte digest. The upper half
of s is refused because s and n − s verify alike: with both allowed, a passer-by could change an operation's
bytes.
"""

from functools import lru_cache
from typing import Final

from meshchain.crypto.arms import arm

ECDSA_KEY_SIZE: Final = 33
ECDSA_DIGEST_SIZE: Final = 32
ECDSA_SIGNATURE_SIZE: Final = 64
ECDSA_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""n: the order of the group, a prime."""


def _is_compressed(key: bytes) -> bool:
    return len(key) == ECDSA_KEY_SIZE and key[0] in (2, 3)


def _is_in_range(signature: bytes) -> bool:
    if len(signature) != ECDSA_SIGNATURE_SIZE:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return 1 <= r < ECDSA_ORDER and 1 <= s <= ECDSA_ORDER // 2


@lru_cache(maxsize=8192)
def is_ecdsa_public_key(key: bytes) -> bool:
    """33 bytes, prefix 02 or 03, x below p and on the curve."""
    return _is_compressed(key) and arm().ecdsa_is_point(key)


def verify_ecdsa(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    """True for a valid signature in the one form, False for anything else of any length. Never raises."""
    return (
        len(digest) == ECDSA_DIGEST_SIZE
        and _is_compressed(public_key)
        and _is_in_range(signature)
        and arm().ecdsa_verify(public_key, digest, signature)
    )


def _check_private_key(private_key: bytes) -> None:
    if len(private_key) != 32 or not 1 <= int.from_bytes(private_key, "big") < ECDSA_ORDER:
        raise ValueError("an ECDSA private key is 32 bytes between 1 and n − 1")


def sign_ecdsa(private_key: bytes, digest: bytes) -> bytes:
    """r ‖ s, 64 bytes, low s, the nonce by RFC 6979 with SHA-256.

    ValueError for a digest of other than 32 bytes or a key outside 1..n−1.
    """
    _check_private_key(private_key)
    if len(digest) != ECDSA_DIGEST_SIZE:
        raise ValueError(f"an ECDSA digest has 32 bytes, not {len(digest)}")
    return arm().ecdsa_sign(private_key, digest)


def ecdsa_public_key(private_key: bytes) -> bytes:
    """The 33-byte compressed key. ValueError for a key outside 1..n−1."""
    _check_private_key(private_key)
    return arm().ecdsa_public_key(private_key)
