"""SymmetricState (Noise specification, revision 34, §5.2) with BLAKE2s."""

from hashlib import blake2s
from hmac import digest as hmac_digest

from meshchain.crypto.noise.cipher import CipherState


def derive(chaining_key: bytes, material: bytes) -> tuple[bytes, bytes]:
    """HKDF with two outputs of 32 bytes (§4.3; RFC 5869 without info)."""
    secret = hmac_digest(chaining_key, material, "blake2s")
    first = hmac_digest(secret, b"\1", "blake2s")
    return first, hmac_digest(secret, first + b"\2", "blake2s")


class SymmetricState:
    """What both sides have said so far, as a hash and as a key."""

    __slots__ = ("_chaining_key", "_cipher", "hash")

    def __init__(self, protocol: str) -> None:
        """``protocol``: the full Noise name; longer than a hash, as all ours are, it is hashed (§5.2)."""
        self.hash = blake2s(protocol.encode("ascii")).digest()
        self._chaining_key = self.hash
        self._cipher: CipherState | None = None

    def copy(self) -> "SymmetricState":
        twin = object.__new__(SymmetricState)
        twin.hash, twin._chaining_key = self.hash, self._chaining_key
        twin._cipher = self._cipher and self._cipher.copy()
        return twin

    @property
    def has_key(self) -> bool:
        """Whether what follows is sealed: true from the first key agreement on."""
        return self._cipher is not None

    def mix_hash(self, data: bytes) -> None:
        self.hash = blake2s(self.hash + data).digest()

    def mix_key(self, secret: bytes) -> None:
        self._chaining_key, key = derive(self._chaining_key, secret)
        self._cipher = CipherState(key)

    def seal_and_hash(self, plaintext: bytes) -> bytes:
        """Sealed over everything said before; plain while there is no key."""
        text = plaintext if self._cipher is None else self._cipher.seal(plaintext, self.hash)
        self.mix_hash(text)
        return text

    def open_and_hash(self, text: bytes) -> bytes:
        """The reverse; NoiseError (noise-tag)."""
        plaintext = text if self._cipher is None else self._cipher.open(text, self.hash)
        self.mix_hash(text)
        return plaintext

    def split(self) -> tuple[CipherState, CipherState]:
        """The ciphers from initiator to responder and back."""
        forth, back = self.split_keys()
        return CipherState(forth), CipherState(back)

    def split_keys(self) -> tuple[bytes, bytes]:
        """The keys of those ciphers, 32 bytes each."""
        return derive(self._chaining_key, b"")
