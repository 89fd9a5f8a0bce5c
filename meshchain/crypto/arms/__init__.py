"""The two arms of the crypto package, and which of them is in use.

An arm does arithmetic only: everything that decides what is *acceptable* (sizes, ranges, canonical forms,
small orders) is checked once, by the modules that call it. ``fast`` rests on coincurve and cryptography,
``portable`` on ecdsa and pycryptodome, for machines without the wheels of the former. Neither is imported
before the first call that needs it: a client that only asks a node should not pay for OpenSSL.

The environment variable MESHCHAIN_CRYPTO names the arm; without it the fast one is taken where it loads.
"""

import os
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Final, Protocol, cast

ENVIRONMENT: Final = "MESHCHAIN_CRYPTO"
NAMES: Final = ("fast", "portable")


class CryptoWarning(UserWarning):
    """The portable arm is in use where the fast one would serve better."""


class Arm(Protocol):
    """What a module under arms/ provides. Sizes are checked by the caller; nothing else is promised."""

    def ecdsa_is_point(self, public_key: bytes, /) -> bool:
        """33 bytes, prefix 02 or 03: is x below p and on secp256k1?"""

    def ecdsa_verify(self, public_key: bytes, digest: bytes, signature: bytes, /) -> bool:
        """33, 32 and 64 bytes; r and s are in range, s is low. False for a key that is no point."""

    def ecdsa_sign(self, private_key: bytes, digest: bytes, /) -> bytes:
        """The key is in 1..n-1. RFC 6979 with SHA-256, low s, 64 bytes."""

    def ecdsa_public_key(self, private_key: bytes, /) -> bytes:
        """The key is in 1..n-1. 33 bytes, compressed."""

    def ed25519_verify(self, public_key: bytes, message: bytes, signature: bytes, /) -> bool:
        """32, any and 64 bytes; S < L, y < p, A not of small order.

        True iff A is on the curve and encode([S]B − [SHA-512(R ‖ A ‖ M) mod L]A) = R bytewise.
        """

    def ed25519_sign(self, seed: bytes, message: bytes, /) -> bytes:
        """RFC 8032 §5.1.6; 32-byte seed, 64-byte signature."""

    def ed25519_public_key(self, seed: bytes, /) -> bytes:
        """RFC 8032 §5.1.5; 32-byte seed, 32-byte key."""

    def x25519(self, private_key: bytes, public_key: bytes, /) -> bytes:
        """RFC 7748 §5, 32 bytes each. ValueError, or 32 zero bytes, for a point of small order."""

    def chacha_seal(self, key: bytes, nonce: bytes, plaintext: bytes, associated: bytes, /) -> bytes:
        """ChaCha20-Poly1305, RFC 8439; key 32, nonce 12; the 16-byte tag follows the ciphertext."""

    def chacha_open(self, key: bytes, nonce: bytes, sealed: bytes, associated: bytes, /) -> bytes | None:
        """None if the tag does not fit; ``sealed`` holds at least a tag."""

    def chacha_of(
        self, key: bytes, /
    ) -> tuple[Callable[[bytes, bytes, bytes], bytes], Callable[[bytes, bytes, bytes], bytes | None]]:
        """The two above for one key that serves often: (nonce, text, associated) → text. ValueError: nonce not of 12.

        Opening also gives None for less than a tag.
        """

    def aes_gcm_seal(self, key: bytes, nonce: bytes, plaintext: bytes, associated: bytes, /) -> bytes:
        """NIST SP 800-38D with AES-256; key 32, nonce 12; the 16-byte tag follows the ciphertext."""

    def aes_gcm_open(self, key: bytes, nonce: bytes, sealed: bytes, associated: bytes, /) -> bytes | None:
        """None if the tag does not fit; ``sealed`` holds at least a tag."""

    def scrypt(self, password: bytes, salt: bytes, n: int, r: int, p: int, size: int, /) -> bytes:
        """RFC 7914. Asked only where the standard library lacks it."""


_in_use: tuple[str, Arm] | None = None


def load(name: str) -> Arm:
    """The arm ``name``; ImportError if its libraries are absent, ValueError for an unknown name."""
    if name not in NAMES:
        raise ValueError(f"{ENVIRONMENT}: {name!r} is no arm; known are {' and '.join(NAMES)}")
    return cast("Arm", import_module(f"{__name__}.{name}"))


def _choose() -> tuple[str, Arm]:
    asked = os.environ.get(ENVIRONMENT)
    if asked:
        return asked, load(asked)
    try:
        return "fast", load("fast")
    except ImportError as missing:
        warnings.warn(f"portable cryptography in use, it is slow ({missing})", CryptoWarning, stacklevel=4)
        return "portable", load("portable")


def in_use() -> tuple[str, Arm]:
    """Name and arm in use, chosen at the first call. ValueError or ImportError if it cannot be loaded."""
    global _in_use
    if _in_use is None:
        _in_use = _choose()
    return _in_use


def use(name: str | None) -> None:
    """Take the arm ``name`` from now on; None: choose again at the next call (for tests and benchmarks)."""
    global _in_use
    _in_use = None if name is None else (name, load(name))


def arm() -> Arm:
    """The arm in use."""
    return (_in_use or in_use())[1]


def arm_name() -> str:
    """``fast`` or ``portable``."""
    return in_use()[0]
