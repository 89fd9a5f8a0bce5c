"""Authenticated encryption: ChaCha20-Poly1305 (RFC 8439) and AES-256-GCM (NIST SP 800-38D).

Keys have 32 bytes, nonces 12, the 16-byte tag follows the ciphertext. A wrong size of key or nonce is the
caller's mistake and raises ValueError; a sealed text that does not open, of whatever length, gives None.
"""

from collections.abc import Callable
from typing import Final

from meshchain.crypto.arms import arm

AEAD_KEY_SIZE: Final = 32
AEAD_NONCE_SIZE: Final = 12
AEAD_TAG_SIZE: Final = 16


def _check_sizes(key: bytes, nonce: bytes) -> None:
    if len(key) != AEAD_KEY_SIZE or len(nonce) != AEAD_NONCE_SIZE:
        raise ValueError(f"key and nonce have 32 and 12 bytes, not {len(key)} and {len(nonce)}")


def seal_chacha20poly1305(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Ciphertext and tag. A nonce must never serve twice under one key."""
    _check_sizes(key, nonce)
    return arm().chacha_seal(key, nonce, plaintext, associated)


def open_chacha20poly1305(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    """The plaintext, or None if anything was changed."""
    _check_sizes(key, nonce)
    return arm().chacha_open(key, nonce, sealed, associated) if len(sealed) >= AEAD_TAG_SIZE else None


class Aead:
    """ChaCha20-Poly1305 under one key that serves often: what the arm prepares for a key is kept.

    ``seal(nonce, plaintext, associated)`` and ``open(nonce, sealed, associated)`` are as the functions above; a nonce
    that has not 12 bytes is a ValueError. They are the arm's own callables, so that a packet costs no call in between.
    """

    __slots__ = ("open", "seal")

    seal: Callable[[bytes, bytes, bytes], bytes]
    open: Callable[[bytes, bytes, bytes], bytes | None]

    def __init__(self, key: bytes) -> None:
        """ValueError unless ``key`` has 32 bytes."""
        if len(key) != AEAD_KEY_SIZE:
            raise ValueError(f"a key has {AEAD_KEY_SIZE} bytes, not {len(key)}")
        self.seal, self.open = arm().chacha_of(key)


def seal_aes_gcm(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Ciphertext and tag. A nonce must never serve twice under one key."""
    _check_sizes(key, nonce)
    return arm().aes_gcm_seal(key, nonce, plaintext, associated)


def open_aes_gcm(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    """The plaintext, or None if anything was changed."""
    _check_sizes(key, nonce)
    return arm().aes_gcm_open(key, nonce, sealed, associated) if len(sealed) >= AEAD_TAG_SIZE else None
