"""Noise (noiseprotocol.org, revision 34): XX, XK and IK over 25519, ChaChaPoly and BLAKE2s."""

from meshchain.crypto.noise.cipher import TAG_SIZE, CipherState
from meshchain.crypto.noise.errors import NoiseError
from meshchain.crypto.noise.handshake import (
    KEY_SIZE,
    MAX_NOISE_MESSAGE,
    MAX_PAYLOAD,
    HandshakeState,
    x25519_public,
)
from meshchain.crypto.noise.patterns import IK, XK, XX, Pattern

__all__ = [
    "IK",
    "KEY_SIZE",
    "MAX_NOISE_MESSAGE",
    "MAX_PAYLOAD",
    "TAG_SIZE",
    "XK",
    "XX",
    "CipherState",
    "HandshakeState",
    "NoiseError",
    "Pattern",
    "x25519_public",
]
