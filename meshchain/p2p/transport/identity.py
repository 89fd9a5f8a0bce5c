"""The proof that binds a node key to a handshake: 32 bytes of Ed25519 key, 64 of signature.

Noise proves that the peer holds the private part of its X25519 key. Two node keys have that same X25519 key, A and −A,
because the map drops the sign of x (RFC 7748 §4.1); and who has shown an X25519 key has not said which of them it goes
by. So it says so, and signs with that key. What is signed is the handshake hash *before* the message that carries the
proof: it holds the ephemeral key that the other side has just made, hence no proof serves twice.

Who made A can also work out signatures of −A. That gives the maker a second name, as a second key would have, and
nobody else any: a name is proven or it is refused.
"""

from typing import Final

from meshchain.crypto import (
    ED25519_KEY_SIZE,
    ED25519_SIGNATURE_SIZE,
    ed25519_public_key,
    is_ed25519_public_key,
    sign_ed25519,
    verify_ed25519,
    x25519_public_from_ed25519,
)
from meshchain.crypto.hashing import tagged_hash
from meshchain.p2p.transport.errors import TransportError

PROOF_SIZE: Final = ED25519_KEY_SIZE + ED25519_SIGNATURE_SIZE


def _digest(handshake_hash: bytes) -> bytes:
    return tagged_hash("stream-key", handshake_hash)


def prove(seed: bytes, handshake_hash: bytes) -> bytes:
    """The proof, 96 bytes, for the key of ``seed``."""
    return ed25519_public_key(seed) + sign_ed25519(seed, _digest(handshake_hash))


def proven_key(proof: bytes, static: bytes, handshake_hash: bytes) -> bytes:
    """The node key that ``proof`` (96 bytes) binds to the X25519 key ``static``.

    TransportError: key-mismatch, if it is no key or maps to another one; key-not-proven, if the signature fails.
    """
    key, signature = proof[:ED25519_KEY_SIZE], proof[ED25519_KEY_SIZE:]
    if not is_ed25519_public_key(key) or x25519_public_from_ed25519(key) != static:
        raise TransportError("key-mismatch", f"{key.hex()} is not the node key of this handshake")
    if not verify_ed25519(key, _digest(handshake_hash), signature):
        raise TransportError("key-not-proven", f"the signature that should prove {key.hex()} is not valid")
    return key
