"""Handshakes, sealed frames and packets of meshp.md, from the primitives. Plain and slow."""

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from meshchain.crypto import x25519_private_from_ed25519, x25519_public_from_ed25519
from tests.spec.second.meshp import id_of
from tests.spec.second.streams import Sealing, nonce, public, unsealed, x25519
from tests.spec.second.values import need


def keyed(key: bytes, data: bytes) -> bytes:
    return hashlib.blake2s(data, key=key, digest_size=16).digest()


def plain(data: bytes) -> bytes:
    return hashlib.blake2s(data).digest()


def with_macs(body: bytes, responder: bytes, cookie: bytes | None) -> bytes:
    body += keyed(plain(b"mac1" + id_of(responder)), body)
    return body + (bytes(16) if cookie is None else keyed(cookie, body))


def open_cookie(body: bytes, responder: bytes, mac1: bytes) -> bytes:
    key = plain(b"cookie" + id_of(responder) + body[:24])
    return unsealed(key, 0, body[24:], mac1)


def seal_cookie(cookie: bytes, random: bytes, responder: bytes, mac1: bytes) -> bytes:
    key = plain(b"cookie" + id_of(responder) + random)
    return random + ChaCha20Poly1305(key).encrypt(bytes(12), cookie, mac1)


@dataclass
class Known:
    """A side, as the vectors give it."""

    seed: bytes
    key: bytes
    ephemeral: bytes
    index: int

    @property
    def static(self) -> bytes:
        return x25519_private_from_ed25519(self.seed)


class Initiator:
    def __init__(self, own: Known, responder: bytes, prologue: bytes, payload: bytes) -> None:
        self.own, self.responder = own, responder
        self.noise = Sealing(b"IK", prologue)
        remote = x25519_public_from_ed25519(responder)
        self.noise.mix_hash(remote)
        ephemeral = public(own.ephemeral)
        self.noise.mix_hash(ephemeral)
        self.noise.mix_key(x25519(own.ephemeral, remote))
        sealed = self.noise.seal(public(own.static))
        self.noise.mix_key(x25519(own.static, remote))
        self.body = own.index.to_bytes(4, "big") + ephemeral + sealed + self.noise.seal(payload)

    def init(self, cookie: bytes | None = None) -> bytes:
        return with_macs(self.body, self.responder, cookie)

    def finish(self, body: bytes) -> tuple[bytes, int, bytes, bytes]:
        """Payload, the responder's index, the keys forth and back."""
        need(with_macs(body[:-32], self.responder, None) == body)
        ephemeral = body[4:36]
        self.noise.mix_hash(ephemeral)
        self.noise.mix_key(x25519(self.own.ephemeral, ephemeral))
        self.noise.mix_key(x25519(self.own.static, ephemeral))
        payload = self.noise.open(body[36:-32])
        need(payload[:32] == self.responder)
        return payload, int.from_bytes(body[:4], "big"), *self.noise.split()


class Responder:
    def __init__(self, own: Known, prologue: bytes, body: bytes) -> None:
        self.own = own
        need(with_macs(body[:-32], own.key, None)[:-16] == body[:-16])
        self.noise = Sealing(b"IK", prologue)
        self.noise.mix_hash(public(own.static))
        self.remote_index, self.ephemeral = int.from_bytes(body[:4], "big"), body[4:36]
        self.noise.mix_hash(self.ephemeral)
        self.noise.mix_key(x25519(own.static, self.ephemeral))
        self.remote = self.noise.open(body[36:84])
        self.noise.mix_key(x25519(own.static, self.remote))
        self.payload = self.noise.open(body[84:-32])
        need(x25519_public_from_ed25519(self.payload[:32]) == self.remote)

    def response(self, payload: bytes) -> tuple[bytes, bytes, bytes]:
        """The body, the keys forth and back."""
        ephemeral = public(self.own.ephemeral)
        self.noise.mix_hash(ephemeral)
        self.noise.mix_key(x25519(self.own.ephemeral, self.ephemeral))
        self.noise.mix_key(x25519(self.own.ephemeral, self.remote))
        body = self.own.index.to_bytes(4, "big") + ephemeral + self.noise.seal(payload)
        return with_macs(body, self.own.key, None), *self.noise.split()


# --- sealed frames and packets ---------------------------------------------------------------------------------


def seal_frame(key: bytes, kind: int, index: int, counter: int, text: bytes) -> bytes:
    head = bytes((32 | kind, 0)) + (len(text) + 16).to_bytes(2, "big") + index.to_bytes(4, "big")
    head += (counter % 2**32).to_bytes(4, "big")
    return head + ChaCha20Poly1305(key).encrypt(nonce(counter), text, head)


def open_frame(key: bytes, counter: int, data: bytes) -> bytes:
    return unsealed(key, counter, data[12 : 12 + int.from_bytes(data[2:4], "big")], data[:12])


def open_packet(key: bytes, counter: int, data: bytes) -> bytes:
    return unsealed(key, counter, data[48:], data[10:24] + data[26:40] + data[40:48])


def open_train(key: bytes, counter: int, frames: list[bytes]) -> bytes:
    """Frames in any order."""
    numbered = {data[1] & 127: data for data in frames}
    last = max(numbered)
    need(set(numbered) == set(range(last + 1)) and [data[1] > 127 for data in frames].count(True) == 1)
    need(numbered[last][1] > 127 and len({data[4:12] for data in frames}) == 1)
    sealed = b"".join(numbered[at][12:] for at in range(last + 1))
    return unsealed(key, counter, sealed, bytes((32 | 10, 0, 0, 0)) + frames[0][4:12])


def counter_of(low: int, greatest: int) -> int:
    """The number with this low half that is closest to the greatest."""
    around = greatest - greatest % 2**32
    candidates = (around - 2**32 + low, around + low, around + 2**32 + low)
    return min(candidates, key=lambda number: (abs(number - greatest), number))


class Window:
    """Every number that was taken is kept."""

    def __init__(self, size: int) -> None:
        self.size, self.taken = size, set[int]()

    def take(self, number: int) -> bool:
        if number in self.taken or (self.taken and number <= max(self.taken) - self.size):
            return False
        self.taken.add(number)
        return True
