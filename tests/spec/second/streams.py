"""Chapter 3 of gossip.md: one side of a stream. Plain and slow.

Cryptography's primitives, not the first implementation's; but for the proof's signature and the map between the forms
of a key, whose edge cases ledger.md describes and the vectors of signatures test.
"""

import hashlib
import hmac
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from meshchain.crypto import ed25519_public_key, is_ed25519_public_key, verify_ed25519, x25519_public_from_ed25519

from meshchain.crypto import sign_ed25519, x25519_private_from_ed25519  # isort: skip
from tests.spec.second.values import InvalidError, need, tagged

EMPTY = b""


def blake(data: bytes) -> bytes:
    return hashlib.blake2s(data).digest()


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.blake2s).digest()


def nonce(number: int) -> bytes:
    return bytes(4) + number.to_bytes(8, "little")


def x25519(private: bytes, public: bytes) -> bytes:
    try:
        return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:
        raise InvalidError from error


def public(private: bytes) -> bytes:
    return x25519(private, b"\x09" + bytes(31))


class Sealing:
    """h, ck, k and n of the handshake."""

    def __init__(self, pattern: bytes = b"XX", prologue: bytes = b"meshchain gossip 1") -> None:
        self.h = self.ck = blake(b"Noise_" + pattern + b"_25519_ChaChaPoly_BLAKE2s")
        self.k, self.n = EMPTY, 0
        self.mix_hash(prologue)

    def mix_hash(self, data: bytes) -> None:
        self.h = blake(self.h + data)

    def mix_key(self, secret: bytes) -> None:
        t = mac(self.ck, secret)
        self.ck = mac(t, b"\1")
        self.k, self.n = mac(t, self.ck + b"\2"), 0

    def seal(self, plain: bytes) -> bytes:
        sealed = ChaCha20Poly1305(self.k).encrypt(nonce(self.n), plain, self.h) if self.k else plain
        self.n += 1
        self.mix_hash(sealed)
        return sealed

    def open(self, sealed: bytes) -> bytes:
        plain = unsealed(self.k, self.n, sealed, self.h) if self.k else sealed
        self.n += 1
        self.mix_hash(sealed)
        return plain

    def split(self) -> tuple[bytes, bytes]:
        t = mac(self.ck, EMPTY)
        forth = mac(t, b"\1")
        return forth, mac(t, forth + b"\2")


def unsealed(key: bytes, number: int, sealed: bytes, associated: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(key).decrypt(nonce(number), sealed, associated)
    except InvalidTag as error:
        raise InvalidError from error


class Frames:
    """One direction."""

    def __init__(self, key: bytes, number: int = 0, frames: int = 0) -> None:
        self.key, self.n, self.frames, self.size = key, number, frames, 0

    def seal(self, plain: bytes) -> bytes:
        sealed = ChaCha20Poly1305(self.key).encrypt(nonce(self.n), plain, EMPTY)
        self._count(len(sealed))
        return sealed

    def open(self, sealed: bytes) -> bytes:
        need(17 <= len(sealed) <= 65535)
        plain = unsealed(self.key, self.n, sealed, EMPTY)
        self._count(len(sealed))
        return plain

    def _count(self, size: int) -> None:
        self.n, self.frames, self.size = self.n + 1, self.frames + 1, self.size + size
        if self.frames == 1 << 16 or self.size >= 1 << 30:
            self.key = ChaCha20Poly1305(self.key).encrypt(nonce(2**64 - 1), bytes(32), EMPTY)[:32]
            self.frames = self.size = 0


class Side:
    """The handshake and then the stream; ``feed`` takes frames with their lengths, ``out`` holds what to send."""

    def __init__(self, *, initiator: bool, seed: bytes, ephemeral: bytes, limit_of: Callable[[int], int]) -> None:
        self.initiator, self.seed, self.limit_of = initiator, seed, limit_of
        self.static, self.ephemeral = x25519_private_from_ed25519(seed), ephemeral
        self.noise, self.step = Sealing(), 0
        self.remote_ephemeral = self.remote_key = EMPTY
        self.sending = self.receiving = Frames(EMPTY)
        self.plain, self.buffer, self.out = EMPTY, EMPTY, EMPTY
        self.messages: list[bytes] = []
        if initiator:
            self._send(self._hello() + self.noise.seal(EMPTY))

    def feed(self, data: bytes) -> None:
        self.buffer += data
        while len(self.buffer) >= 2:
            size = int.from_bytes(self.buffer[:2], "big")
            need(size == (32, 192, 160)[self.step] if self.step < 3 else size >= 17)
            if len(self.buffer) < 2 + size:
                return
            content, self.buffer = self.buffer[2 : 2 + size], self.buffer[2 + size :]
            self._frame(content)

    def send(self, message: bytes) -> bytes:
        sealed = self.sending.seal(len(message).to_bytes(4, "big") + message)
        return len(sealed).to_bytes(2, "big") + sealed

    # --- handshake ---------------------------------------------------------------------------------------------

    def _send(self, content: bytes) -> None:
        self.out += len(content).to_bytes(2, "big") + content
        self.step += 1

    def _hello(self) -> bytes:
        self.noise.mix_hash(public(self.ephemeral))
        return public(self.ephemeral)

    def _frame(self, content: bytes) -> None:
        if self.step == 3:
            self._messages(self.receiving.open(content))
        elif self.initiator:
            self._second(content)
        elif self.step == 0:
            self._first(content)
        else:
            self._third(content)

    def _first(self, content: bytes) -> None:
        self.remote_ephemeral = content
        self.noise.mix_hash(content)
        self.noise.open(EMPTY)
        self.step += 1
        before = self.noise.h
        hello = self._hello()
        self.noise.mix_key(x25519(self.ephemeral, content))
        hello += self.noise.seal(public(self.static))
        self.noise.mix_key(x25519(self.static, content))
        self._send(hello + self.noise.seal(self._proof(before)))

    def _second(self, content: bytes) -> None:
        before = self.noise.h
        self.remote_ephemeral = content[:32]
        self.noise.mix_hash(content[:32])
        self.noise.mix_key(x25519(self.ephemeral, content[:32]))
        static = self.noise.open(content[32:80])
        self.noise.mix_key(x25519(self.ephemeral, static))
        self._check(self.noise.open(content[80:]), static, before)
        self.step += 1
        before = self.noise.h
        answer = self.noise.seal(public(self.static))
        self.noise.mix_key(x25519(self.static, self.remote_ephemeral))
        self._send(answer + self.noise.seal(self._proof(before)))
        self._stand()

    def _third(self, content: bytes) -> None:
        before = self.noise.h
        static = self.noise.open(content[:48])
        self.noise.mix_key(x25519(self.ephemeral, static))
        self._check(self.noise.open(content[48:]), static, before)
        self.step += 1
        self._stand()

    def _proof(self, h: bytes) -> bytes:
        return ed25519_public_key(self.seed) + sign_ed25519(self.seed, tagged("stream-key", h))

    def _check(self, proof: bytes, static: bytes, h: bytes) -> None:
        key, signature = proof[:32], proof[32:]
        need(is_ed25519_public_key(key) and x25519_public_from_ed25519(key) == static)
        need(verify_ed25519(key, tagged("stream-key", h), signature))
        self.remote_key = key

    def _stand(self) -> None:
        keys = self.noise.split()
        forth, back = (Frames(key) for key in keys)
        self.sending, self.receiving = (forth, back) if self.initiator else (back, forth)

    # --- messages ----------------------------------------------------------------------------------------------

    def _messages(self, plain: bytes) -> None:
        self.plain += plain
        while len(self.plain) >= 4:
            size = int.from_bytes(self.plain[:4], "big")
            need(0 < size <= 2**22 + 2**18)
            need(len(self.plain) == 4 or size <= self.limit_of(self.plain[4]))
            if len(self.plain) < 4 + size:
                return
            self.messages.append(self.plain[4 : 4 + size])
            self.plain = self.plain[4 + size :]
