"""meshp-handshakes.json: a handshake between neighbours and one between ends, byte by byte, with a cookie."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2s
from typing import Final

from docs.spec.making.values import GENESIS, Document, Json, secret
from meshchain.crypto import x25519_public_from_ed25519
from meshrouter.handshake.cookies import CookieMaker
from meshrouter.handshake.door import Door, Offer
from meshrouter.handshake.initiation import Initiation
from meshrouter.handshake.macs import mac, mac1_key
from meshrouter.identity import Identity
from meshrouter.wire import ends, frame, packet
from meshrouter.wire.ends import EndHandshake
from meshrouter.wire.handshake import EndPayload, LinkPayload

LINK: Final = b"meshp link 1" + GENESIS
END: Final = b"meshp end 1" + GENESIS
_CLAIMED: Final = bytes.fromhex("eeee0000000000000000000000000001")


class Fixed(random.Random):
    """Gives the bytes it was told, in their order."""

    def __init__(self, *drawn: bytes) -> None:
        super().__init__(0)
        self._drawn = list(drawn)

    def randbytes(self, n: int) -> bytes:
        drawn = self._drawn.pop(0)
        assert len(drawn) == n
        return drawn


@dataclass(frozen=True)
class Side:
    """A node, and the ephemeral key and index that it takes for its one handshake."""

    word: str
    index: int
    identity: Identity = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "identity", Identity.from_seed(secret(f"node {self.word}")))

    @property
    def rng(self) -> Fixed:
        return Fixed(secret(f"ephemeral {self.word}"))

    def shown(self) -> dict[str, Json]:
        return {
            "seed": self.identity.seed.hex(),
            "key": self.identity.key.hex(),
            "x25519": x25519_public_from_ed25519(self.identity.key).hex(),
            "id": self.identity.id.hex(),
            "ephemeral": secret(f"ephemeral {self.word}").hex(),
            "index": self.index,
        }


ANN: Final = Side("ann", 0x01020304)
BEN: Final = Side("ben", 0x0A0B0C0D)

Wrapped = Callable[[int, int, bytes], bytes]
"""(type of ``frame``, receiver's index, body) → what travels."""


def document() -> Document:
    neighbours = LinkPayload(ANN.identity.key, 3, 9337, 262_800), LinkPayload(BEN.identity.key, 1, 9337, 262_801)
    pair = _CLAIMED, BEN.identity.address
    between = (
        EndPayload(ANN.identity.key, *pair, 3, 1447, 262_800),
        EndPayload(BEN.identity.key, *pair, 1, 1399, 262_801),
    )
    link_source = (7).to_bytes(4, "big") + bytes.fromhex("020000000001")
    return {
        "genesis": GENESIS.hex(),
        "initiator": ANN.shown(),
        "responder": BEN.shown(),
        "link": _handshake(LINK, neighbours[0].encode(), neighbours[1].encode(), link_source, _frame),
        "end": _handshake(END, between[0].encode(), between[1].encode(), ANN.identity.id, _packet),
        "refused": [
            {"why": why, "code": code, "to": to, "body": body.hex()}
            for why, code, to, body in _refused(neighbours[0].encode(), neighbours[1].encode())
        ],
    }


def _frame(kind: int, index: int, body: bytes) -> bytes:
    return frame.clear(kind, body, index)


def _packet(kind: int, index: int, body: bytes) -> bytes:
    """Between ends: MESHHS in a MESHP packet, from Ann if it is an INIT."""
    number = {frame.INIT: ends.END_INIT, frame.RESPONSE: ends.END_RESPONSE, frame.COOKIE: ends.END_COOKIE}[kind]
    both = (ANN, BEN) if kind == frame.INIT else (BEN, ANN)
    source, destination = (side.identity.id for side in both)
    payload = EndHandshake(number, index, body).encode()
    made = packet.Packet(next_header=packet.MESHHS, source=source, destination=destination, payload=payload)
    return made.encode()


def _handshake(prologue: bytes, first: bytes, second: bytes, source: bytes, wrapped: Wrapped) -> Json:
    initiation = Initiation(ANN.identity, BEN.identity.key, prologue, first, ANN.index, ANN.rng)
    init = initiation.message()
    door = Door(BEN.identity, prologue, BEN.rng)
    offer = door.consume(init, source, 0.0)
    assert isinstance(offer, Offer)
    response, back, forth = offer.answer(second, BEN.index)
    cookie = _cookie(initiation, init, source)
    finished = initiation.finish(response)
    assert (finished.send, finished.receive) == (forth, back)
    return {
        "prologue": prologue.hex(),
        "payloads": [first.hex(), second.hex()],
        "init": wrapped(frame.INIT, 0, init).hex(),
        "response": wrapped(frame.RESPONSE, ANN.index, response).hex(),
        "keys": {"forth": forth.hex(), "back": back.hex()},
        "cookie": {
            "source": source.hex(),
            "secret": secret("cookie secret").hex(),
            "nonce": secret("cookie nonce")[:24].hex(),
            "cookie": blake2s(source, key=secret("cookie secret"), digest_size=16).hexdigest(),
            "message": wrapped(frame.COOKIE, ANN.index, cookie).hex(),
            "init": wrapped(frame.INIT, 0, initiation.message()).hex(),
        },
    }


def _cookie(initiation: Initiation, init: bytes, source: bytes) -> bytes:
    """The body of the COOKIE that Ben answers with under load, once Ann has read it."""
    maker = CookieMaker(BEN.identity.id, Fixed(secret("cookie nonce")[:24], secret("cookie secret")))
    body = maker.sealed(source, init[-32:-16], 0.0)
    initiation.read_cookie(body)
    again = initiation.message()
    assert maker.holds(source, again[:-16], again[-16:], 0.0)
    return body


# --- what must be refused, between neighbours --------------------------------------------------------------------


def _refused(first: bytes, second: bytes) -> Iterator[tuple[str, str, str, bytes]]:
    """(why, code, who gets it, body of an INIT, a RESPONSE or a COOKIE)."""
    initiation = _initiation(first)
    init = initiation.message()
    offer = Door(BEN.identity, LINK, BEN.rng).consume(init, b"", 0.0)
    assert isinstance(offer, Offer)
    response = offer.answer(second, BEN.index)[0]
    yield "INIT: mac1 changed", "handshake-mac1", "responder", _flipped(init, -32)
    yield "INIT: another index under the same mac1", "handshake-mac1", "responder", _flipped(init, 0)
    yield "INIT: to another id", "handshake-mac1", "responder", _with_mac1(init, ANN.identity.id)
    yield "INIT: payload changed", "handshake-noise", "responder", _again(_flipped(init, 90))
    yield (
        "INIT: an ephemeral key of small order",
        "handshake-noise",
        "responder",
        _again(init[:4] + bytes(32) + init[36:]),
    )
    yield (
        "INIT: of another network",
        "handshake-noise",
        "responder",
        _initiation(first, b"meshp link 1" + bytes(32)).message(),
    )
    yield "INIT: for ends", "handshake-noise", "responder", _initiation(first, END).message()
    yield "INIT: goes by the key of another", "handshake-key", "responder", _initiation(second).message()
    yield "RESPONSE: mac1 changed", "handshake-mac1", "initiator", _flipped(response, -32)
    yield "RESPONSE: payload changed", "handshake-noise", "initiator", _again(_flipped(response, 40))
    offer = Door(BEN.identity, LINK, BEN.rng).consume(init, b"", 0.0)
    assert isinstance(offer, Offer)
    other = offer.answer(_minus(second), BEN.index)[0]
    yield "RESPONSE: goes by the other key of the same X25519 form", "handshake-key", "initiator", other
    cookie = _cookie(initiation, init, b"")
    yield "COOKIE: changed", "cookie-tag", "cookie", _flipped(cookie, 30)
    yield "COOKIE: of another INIT", "cookie-tag", "cookie", _cookie_of(secret("another mac1")[:16])


def _initiation(payload: bytes, prologue: bytes = LINK) -> Initiation:
    return Initiation(ANN.identity, BEN.identity.key, prologue, payload, ANN.index, ANN.rng)


def _minus(payload: bytes) -> bytes:
    """With the key −A in the place of A: the sign of x is the highest bit (RFC 8032 §5.1.2)."""
    return _flipped(payload, 31, 0x80)


def _flipped(data: bytes, at: int, bits: int = 1) -> bytes:
    changed = bytearray(data)
    changed[at] ^= bits
    return bytes(changed)


def _again(body: bytes) -> bytes:
    """With the mac1 that fits."""
    return _with_mac1(body, BEN.identity.id)


def _with_mac1(body: bytes, responder: bytes) -> bytes:
    return body[:-32] + mac(mac1_key(responder), body[:-32]) + body[-16:]


def _cookie_of(mac1: bytes) -> bytes:
    maker = CookieMaker(BEN.identity.id, Fixed(secret("cookie nonce")[:24], secret("cookie secret")))
    return maker.sealed(b"", mac1, 0.0)
