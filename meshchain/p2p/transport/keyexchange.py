"""Noise_XX with node keys: who the peer is, and the ciphers to talk to it with."""

from collections.abc import Callable
from typing import Final

from meshchain.crypto import x25519_private_from_ed25519
from meshchain.crypto.noise import KEY_SIZE, TAG_SIZE, XX, CipherState, HandshakeState
from meshchain.p2p.transport.identity import PROOF_SIZE, prove, proven_key

PROLOGUE: Final = b"meshchain gossip 1"
"""Names the protocol and its version: two nodes that differ here cannot read each other's second message."""
MESSAGE_SIZES: Final = (
    KEY_SIZE,
    KEY_SIZE + KEY_SIZE + TAG_SIZE + PROOF_SIZE + TAG_SIZE,
    KEY_SIZE + TAG_SIZE + PROOF_SIZE + TAG_SIZE,
)
"""32, 192 and 160 bytes: a handshake has no variable part."""


class KeyExchange:
    """One side; ``seed`` is its Ed25519 seed, ``rng(n)`` gives n secret random bytes."""

    def __init__(self, *, initiator: bool, seed: bytes, rng: Callable[[int], bytes]) -> None:
        self._seed = seed
        self._noise = HandshakeState(
            XX,
            initiator=initiator,
            prologue=PROLOGUE,
            static=x25519_private_from_ed25519(seed),
            ephemeral=lambda: rng(KEY_SIZE),
        )
        self._step = 0
        self.remote_key: bytes | None = None
        """The peer's node key, once proven."""

    @property
    def next_size(self) -> int:
        """Bytes of the next message, whoever sends it."""
        return MESSAGE_SIZES[self._step]

    @property
    def finished(self) -> bool:
        return self._noise.finished

    def write(self) -> bytes | None:
        """The message that is ours to send now, if any."""
        if not self._noise.my_turn:
            return None
        payload = prove(self._seed, self._noise.handshake_hash) if self._step else b""
        self._step += 1
        return self._noise.write_message(payload)

    def read(self, message: bytes) -> None:
        """The peer's message, of ``next_size`` bytes. NoiseError or TransportError: the handshake has failed."""
        before = self._noise.handshake_hash
        payload = self._noise.read_message(message)
        if self._noise.remote_static is not None:
            self.remote_key = proven_key(payload, self._noise.remote_static, before)
        self._step += 1

    def split(self) -> tuple[CipherState, CipherState]:
        """The ciphers to send and to receive with."""
        return self._noise.split()
