"""Streams with known keys, and a peer that speaks the handshake but seals whatever it is told to."""

from collections.abc import Callable
from random import Random
from typing import Final

from meshchain.crypto import ed25519_public_key, x25519_private_from_ed25519
from meshchain.crypto.noise import XX, CipherState, HandshakeState
from meshchain.p2p.transport import Established, Event, Received, Stream, TransportError
from meshchain.p2p.transport.frames import FrameCipher, frame
from meshchain.p2p.transport.identity import prove
from meshchain.p2p.transport.keyexchange import PROLOGUE
from meshchain.p2p.transport.stream import any_type

ALICE: Final = bytes(range(32))
BOB: Final = bytes(range(32, 64))
MALLORY: Final = bytes(range(64, 96))
KEY: Final = {seed: ed25519_public_key(seed) for seed in (ALICE, BOB, MALLORY)}
Limit = Callable[[int], int]
Proof = Callable[[bytes], bytes]
"""From handshake hash to payload."""


def stream(seed: bytes, *, initiator: bool, rng: Random, limit_of: Limit = any_type) -> Stream:
    return Stream(initiator=initiator, seed=seed, rng=rng.randbytes, now=0.0, limit_of=limit_of)


def alice(seed: int = 1) -> Stream:
    """Initiator."""
    return stream(ALICE, initiator=True, rng=Random(seed))


def bob(seed: int = 2, limit_of: Limit = any_type) -> Stream:
    """Responder."""
    return stream(BOB, initiator=False, rng=Random(seed), limit_of=limit_of)


def established(seed: int = 0) -> tuple[Stream, Stream]:
    """Alice and Bob after their handshake."""
    one, other = alice(seed), bob(seed + 1)
    other.receive(one.take_output(), 0.0)
    assert one.receive(other.take_output(), 0.0) == [Established(KEY[BOB])]
    assert other.receive(one.take_output(), 0.0) == [Established(KEY[ALICE])]
    return one, other


def messages(events: list[Event]) -> list[bytes]:
    return [event.message for event in events if isinstance(event, Received)]


def cut(data: bytes) -> list[bytes]:
    """The frames in ``data``, lengths included."""
    frames = []
    while data:
        end = 2 + int.from_bytes(data[:2], "big")
        frames.append(data[:end])
        data = data[end:]
    return frames


def fault(stream: Stream, data: bytes, now: float = 0.0) -> TransportError:
    """The error that ``data`` must cause."""
    try:
        events = stream.receive(data, now)
    except TransportError as error:
        return error
    raise AssertionError(f"accepted, with {events}")


class Dishonest:
    """Speaks Noise_XX with the static key of ``seed``; payloads are ``proof`` of the handshake hash."""

    def __init__(self, seed: bytes, *, initiator: bool, proof: Proof | None = None) -> None:
        self._proof = proof or (lambda digest: prove(seed, digest))
        self._noise = HandshakeState(
            XX,
            initiator=initiator,
            prologue=PROLOGUE,
            static=x25519_private_from_ed25519(seed),
            ephemeral=lambda: Random(9).randbytes(32),
        )

    def hello(self) -> bytes:
        return frame(self._noise.write_message())

    def proof(self) -> bytes:
        return frame(self._noise.write_message(self._proof(self._noise.handshake_hash)))

    def read(self, data: bytes) -> bytes:
        """The payload of one handshake frame."""
        return self._noise.read_message(data[2:])

    def cipher(self) -> FrameCipher:
        """To send with."""
        return FrameCipher(self.bare_cipher())

    def bare_cipher(self) -> CipherState:
        """The same, never changing its key by itself."""
        return self._noise.split()[0]


def sealing_for(victim: Stream) -> Callable[[bytes], bytes]:
    """Establish Mallory as initiator at ``victim``; the function frames and seals any plaintext."""
    mallory = Dishonest(MALLORY, initiator=True)
    victim.receive(mallory.hello(), 0.0)
    mallory.read(victim.take_output())
    assert victim.receive(mallory.proof(), 0.0) == [Established(KEY[MALLORY])]
    cipher = mallory.cipher()
    return lambda plaintext: frame(cipher.seal(plaintext))
