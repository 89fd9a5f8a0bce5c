"""Who this node is on the mesh."""

from dataclasses import dataclass

from meshchain.crypto import (
    ed25519_public_key,
    sign_ed25519,
    x25519_private_from_ed25519,
    x25519_public_from_ed25519,
)
from meshchain.crypto.address import PREFIX, node_id


@dataclass(frozen=True, slots=True)
class Identity:
    """``seed``: 32 secret bytes; ``key``: Ed25519 public key, 32; ``id``: 14; ``static``: X25519 private key, 32."""

    seed: bytes
    key: bytes
    id: bytes
    static: bytes

    @classmethod
    def from_seed(cls, seed: bytes) -> "Identity":
        """ValueError for the one seed in 2^64 whose id falls into eeee::/80."""
        key = ed25519_public_key(seed)
        own = node_id(key)
        if own is None:
            raise ValueError("the key's address falls into eeee::/80")
        return cls(seed, key, own, x25519_private_from_ed25519(seed))

    @property
    def address(self) -> bytes:
        """The derived mesh address, 16 bytes."""
        return PREFIX + self.id

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return sign_ed25519(self.seed, message)

    def __repr__(self) -> str:
        return f"Identity(key={self.key.hex()})"  # a log must never show the seed


def static_of(key: bytes) -> bytes:
    """The X25519 public key (32 bytes) that belongs to an Ed25519 key. ValueError for what is no key."""
    return x25519_public_from_ed25519(key)
