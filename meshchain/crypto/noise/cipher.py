"""CipherState (Noise specification, revision 34, §5.1) over ChaCha20-Poly1305."""

from typing import Final

from meshchain.crypto.aead import AEAD_TAG_SIZE, open_chacha20poly1305, seal_chacha20poly1305
from meshchain.crypto.noise.errors import NoiseError

TAG_SIZE: Final = AEAD_TAG_SIZE
REKEY_NONCE: Final = 2**64 - 1
"""Kept for ``rekey``; no message is sealed under it."""


class CipherState:
    """One direction's key and the number of its next message."""

    __slots__ = ("_key", "_next")

    def __init__(self, key: bytes, first: int = 0) -> None:
        """32-byte key; ``first``: number of the next message."""
        self._key = key
        self._next = first

    def copy(self) -> "CipherState":
        return CipherState(self._key, self._next)

    @property
    def next_nonce(self) -> int:
        """The number of the next message."""
        return self._next

    def seal(self, plaintext: bytes, associated: bytes = b"") -> bytes:
        """The next message, 16 bytes longer than ``plaintext``. NoiseError (noise-nonce) if none is left."""
        sealed = seal_chacha20poly1305(self._key, self._nonce(), plaintext, associated)
        self._next += 1
        return sealed

    def open(self, sealed: bytes, associated: bytes = b"") -> bytes:
        """The next message, opened; NoiseError (noise-tag, noise-nonce) leaves everything as it was."""
        plaintext = open_chacha20poly1305(self._key, self._nonce(), sealed, associated)
        if plaintext is None:
            raise NoiseError("noise-tag", f"message {self._next} does not open: changed, or not the next one")
        self._next += 1
        return plaintext

    def rekey(self) -> None:
        """Go on under a key from which the old one cannot be had (§4.2, §11.3). The numbers go on too."""
        self._key = seal_chacha20poly1305(self._key, encode_nonce(REKEY_NONCE), bytes(32), b"")[:32]

    def _nonce(self) -> bytes:
        if self._next >= REKEY_NONCE:
            raise NoiseError("noise-nonce", "the last nonce of this key is spent")
        return encode_nonce(self._next)


def encode_nonce(number: int) -> bytes:
    """12 bytes: four zeros, the number little-endian (§12.3)."""
    return bytes(4) + number.to_bytes(8, "little")
