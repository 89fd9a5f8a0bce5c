"""gossip-streams.json: handshakes and frames byte by byte, a change of keys, and streams that must be given up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from docs.spec.making.gossip_messages import MESH
from docs.spec.making.values import Document, Json, secret
from meshchain.crypto import (
    ed25519_public_key,
    sign_ed25519,
    x25519_private_from_ed25519,
    x25519_public_from_ed25519,
)
from meshchain.crypto.hashing import tagged_hash
from meshchain.crypto.noise import XX, CipherState, HandshakeState
from meshchain.p2p.messages import limit_of
from meshchain.p2p.transport import Event, Stream
from meshchain.p2p.transport.frames import REKEY_FRAMES, frame
from meshchain.p2p.transport.identity import prove
from meshchain.p2p.transport.keyexchange import PROLOGUE

Proof = Callable[[bytes], bytes]
"""From handshake hash to payload."""


@dataclass(frozen=True)
class Side:
    """A node key and the ephemeral key of its one handshake."""

    word: str
    seed: bytes = field(init=False)
    ephemeral: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", secret(f"node {self.word}"))
        object.__setattr__(self, "ephemeral", secret(f"ephemeral {self.word}"))

    @property
    def key(self) -> bytes:
        return ed25519_public_key(self.seed)

    def stream(self, *, initiator: bool) -> Stream:
        ephemeral = self.ephemeral
        return Stream(
            initiator=initiator,
            seed=self.seed,
            rng=lambda _: ephemeral,
            now=0.0,
            limit_of=lambda kind: limit_of(kind, MESH),
        )

    def noise(self, *, initiator: bool, prologue: bytes = PROLOGUE) -> HandshakeState:
        """The same side where bytes are wanted that a Stream does not send."""
        static = x25519_private_from_ed25519(self.seed)
        ephemeral = self.ephemeral
        return HandshakeState(XX, initiator=initiator, prologue=prologue, static=static, ephemeral=lambda: ephemeral)

    def shown(self) -> dict[str, Json]:
        return {
            "seed": self.seed.hex(),
            "key": self.key.hex(),
            "x25519": x25519_public_from_ed25519(self.key).hex(),
            "ephemeral": self.ephemeral.hex(),
        }


ANN: Final = Side("ann")
BEN: Final = Side("ben")
_MESSAGES: Final = (b"\x02\x80", bytes.fromhex("0381182a"), b"\x50\x80")


def document() -> Document:
    return {
        "prologue": PROLOGUE.hex(),
        "initiator": ANN.shown(),
        "responder": BEN.shown(),
        **_handshake(),
        "forth": _frames_forth(),
        "back": _frames_back(),
        "rekey": _rekey(),
        "refused": [*_refused()],
    }


def _handshake() -> dict[str, Json]:
    """As two Streams speak it, and what lies inside as two bare Noise states see it."""
    ann, ben = ANN.noise(initiator=True), BEN.noise(initiator=False)
    frames, hashes, proofs = [], [], []
    for writer, reader, side in ((ann, ben, None), (ben, ann, BEN), (ann, ben, ANN)):
        hashes.append(writer.handshake_hash.hex())
        payload = b"" if side is None else prove(side.seed, writer.handshake_hash)
        proofs.append(payload.hex())
        message = writer.write_message(payload)
        frames.append(frame(message).hex())
        assert reader.read_message(message) == payload
    assert frames == [data.hex() for data in _spoken()]
    forth, back = ann.split()
    return {
        "hashes_before": hashes,
        "payloads": proofs,
        "frames": frames,
        "hash": ann.handshake_hash.hex(),
        "keys": {"forth": forth._key.hex(), "back": back._key.hex()},
    }


def _spoken() -> tuple[bytes, bytes, bytes]:
    _, _, spoken = established()
    return spoken


def established() -> tuple[Stream, Stream, tuple[bytes, bytes, bytes]]:
    """Both streams after their handshake, and its three frames."""
    ann, ben = ANN.stream(initiator=True), BEN.stream(initiator=False)
    first = ann.take_output()
    ben.receive(first, 0.0)
    second = ben.take_output()
    ann.receive(second, 0.0)
    third = ann.take_output()
    ben.receive(third, 0.0)
    return ann, ben, (first, second, third)


def _frames_forth() -> Json:
    """Three messages in one frame, as the initiator sends what it has at once."""
    ann, ben, _ = established()
    for message in _MESSAGES:
        ann.send(message)
    data = ann.take_output()
    return {"messages": _received(ben.receive(data, 0.0)), "bytes": data.hex()}


def _frames_back() -> Json:
    """Frames that begin and end anywhere: inside a length, inside a message, with one byte."""
    ann, ben, _ = established()
    plain = b"".join(len(message).to_bytes(4, "big") + message for message in _MESSAGES)
    seal = _back_sealer()
    data = b"".join(frame(seal(plain[start:end])) for start, end in ((0, 2), (2, 9), (9, 10), (10, len(plain))))
    del ben
    return {"messages": _received(ann.receive(data, 0.0)), "bytes": data.hex()}


def _back_sealer() -> Callable[[bytes], bytes]:
    ann, ben = ANN.noise(initiator=True), BEN.noise(initiator=False)
    _exchange(ann, ben)
    return ben.split()[0].seal


def _exchange(ann: HandshakeState, ben: HandshakeState, proof: Proof | None = None) -> tuple[bytes, bytes]:
    """Initiator ``ann`` proves ``proof``; returns her two messages."""
    first = ann.write_message()
    ben.read_message(first)
    ann.read_message(ben.write_message(prove(BEN.seed, ben.handshake_hash)))
    third = ann.write_message((proof or _own)(ann.handshake_hash))
    ben.read_message(third)
    return first, third


def _own(handshake_hash: bytes) -> bytes:
    return prove(ANN.seed, handshake_hash)


def _received(events: list[Event]) -> list[Json]:
    return [event.message.hex() for event in events if hasattr(event, "message")]


def _rekey() -> Json:
    """One direction's frame before the change and the one after it; the numbers go on."""
    key = secret("transport key")
    cipher = CipherState(key, REKEY_FRAMES - 1)
    last = cipher.seal(b"the last under this key")
    cipher.rekey()
    return {
        "key": key.hex(),
        "number": REKEY_FRAMES - 1,
        "plaintext": b"the last under this key".hex(),
        "sealed": last.hex(),
        "next_key": cipher._key.hex(),
        "next_plaintext": b"the first under the next".hex(),
        "next_sealed": cipher.seal(b"the first under the next").hex(),
    }


# --- streams that must be given up -----------------------------------------------------------------------------


def _refused() -> Iterator[Json]:
    """What BEN, the responder of this file, receives: all but the last piece is as it should be."""
    for why, code, pieces in (*_bad_handshakes(), *_bad_proofs(), *_bad_frames()):
        yield {"why": why, "code": code, "received": [piece.hex() for piece in pieces]}


def _bad_handshakes() -> Iterator[tuple[str, str, tuple[bytes, ...]]]:
    first, _, third = _spoken()
    yield "first frame of 31 bytes", "handshake-size", (b"\0\x1f",)
    yield "first frame of 33 bytes", "handshake-size", (b"\0\x21",)
    yield "an ephemeral key of small order", "noise-key", (frame(bytes(32)),)
    yield "third frame of 161 bytes", "handshake-size", (first, b"\0\xa1")
    yield "third frame changed", "noise-tag", (first, third[:-1] + bytes((third[-1] ^ 1,)))
    yield "the first frame again", "handshake-size", (first, first)
    older = ANN.noise(initiator=True, prologue=b"meshchain gossip 0")
    yield "another prologue", "noise-tag", _frames_of(older, BEN.noise(initiator=False, prologue=b"meshchain gossip 0"))
    replayed = Side("ben, another time")
    other = HandshakeState(
        XX,
        initiator=False,
        prologue=PROLOGUE,
        static=x25519_private_from_ed25519(BEN.seed),
        ephemeral=lambda: replayed.ephemeral,
    )
    yield "a third frame recorded earlier", "noise-tag", _frames_of(ANN.noise(initiator=True), other)


def _frames_of(ann: HandshakeState, ben: HandshakeState, proof: Proof | None = None) -> tuple[bytes, bytes]:
    first, third = _exchange(ann, ben, proof)
    return frame(first), frame(third)


def _bad_proofs() -> Iterator[tuple[str, str, tuple[bytes, ...]]]:
    minus = ANN.key[:31] + bytes((ANN.key[31] ^ 0x80,))
    claims: tuple[tuple[str, str, Proof], ...] = (
        ("the key with the other sign", "key-not-proven", lambda digest: minus + _own(digest)[32:]),
        ("another's key", "key-mismatch", lambda digest: BEN.key + _own(digest)[32:]),
        ("another's key and signature", "key-mismatch", lambda digest: prove(BEN.seed, digest)),
        ("signed by another", "key-not-proven", lambda digest: ANN.key + prove(BEN.seed, digest)[32:]),
        ("the hash after the message", "key-not-proven", lambda _: _own(bytes(32))),
        ("the bare hash signed", "key-not-proven", lambda digest: ANN.key + sign_ed25519(ANN.seed, digest)),
        ("another tag", "key-not-proven", lambda digest: ANN.key + _signed("host", digest)),
        ("a key of small order", "key-mismatch", lambda _: b"\1" + bytes(95)),
    )
    for why, code, proof in claims:
        yield f"proof: {why}", code, _frames_of(ANN.noise(initiator=True), BEN.noise(initiator=False), proof)


def _signed(tag: str, digest: bytes) -> bytes:
    return sign_ed25519(ANN.seed, tagged_hash(tag, digest))


def _bad_frames() -> Iterator[tuple[str, str, tuple[bytes, ...]]]:
    first, _, third = _spoken()
    head = (first, third)
    one, two = (frame(sealed) for sealed in _sealed(b"\0\0\0\2\x02\x80", b"\0\0\0\2\x50\x80"))
    yield "a frame of 16 bytes", "frame-size", (*head, b"\0\x10")
    yield "a frame changed", "noise-tag", (*head, one[:-1] + bytes((one[-1] ^ 0x80,)))
    yield "a frame left out", "noise-tag", (*head, two)
    yield "a frame twice", "noise-tag", (*head, one, one)
    for why, code, plain in (
        ("a message of no bytes", "message-empty", bytes(4)),
        ("a message of 2^32 - 1 bytes", "message-too-long", b"\xff" * 4),
        ("Ready of three bytes", "message-too-long", b"\0\0\0\3\2"),
        ("an unknown type", "message-too-long", b"\0\0\0\1\xff"),
    ):
        yield why, code, (*head, frame(_sealed(plain)[0]))


def _sealed(*plains: bytes) -> list[bytes]:
    """The initiator's first frames, unframed."""
    ann, ben = ANN.noise(initiator=True), BEN.noise(initiator=False)
    _exchange(ann, ben)
    cipher = ann.split()[0]
    return [cipher.seal(plain) for plain in plains]
