"""Cookies: whoever begins handshakes while there are too many must show that it receives at the address it names.

The responder remembers nothing of whom it gave one: a cookie is a code over the source, under a secret that changes
every two minutes. It travels sealed under a key that takes the responder's id, bound to the mac1 of the message that it
answers: only who sent (or saw) that message can use it, and nobody can feed an initiator wrong ones without having seen
its message.
"""

import random
from hashlib import blake2s
from typing import Final

from meshchain.crypto import AEAD_NONCE_SIZE, open_chacha20poly1305, seal_chacha20poly1305
from meshrouter.errors import WireError
from meshrouter.handshake.macs import fits, mac
from meshrouter.wire.handshake import Cookie

SECRET_TIME: Final = 120.0
"""Seconds for which a secret makes cookies, and as many more for which they hold."""
_ZERO: Final = bytes(AEAD_NONCE_SIZE)
"""The key is new for every cookie, so that the AEAD's own nonce need not be."""


def _key(responder: bytes, nonce: bytes) -> bytes:
    return blake2s(b"cookie" + responder + nonce).digest()


def open_cookie(body: bytes, responder: bytes, mac1: bytes) -> bytes:
    """The 16 bytes inside. ``mac1``: of the INIT that was answered. WireError: wire-size, cookie-tag."""
    cookie = Cookie.decode(body)
    opened = open_chacha20poly1305(_key(responder, cookie.nonce), _ZERO, cookie.sealed, mac1)
    if opened is None:
        raise WireError("cookie-tag", "the cookie is not for what we sent last")
    return opened


class CookieMaker:
    """One responder's secrets. ``responder``: its own id."""

    def __init__(self, responder: bytes, rng: random.Random) -> None:
        self._responder = responder
        self._rng = rng
        self._secrets: list[tuple[float, bytes]] = []
        """(made at, 32 bytes), the newest first, at most two."""

    def sealed(self, source: bytes, mac1: bytes, now: float) -> bytes:
        """A COOKIE's body, 56 bytes."""
        nonce = self._rng.randbytes(24)
        cookie = mac(self._fresh(now)[0], source)
        return Cookie(nonce, seal_chacha20poly1305(_key(self._responder, nonce), _ZERO, cookie, mac1)).encode()

    def holds(self, source: bytes, under_mac2: bytes, mac2: bytes, now: float) -> bool:
        """Whether ``mac2`` was made with a cookie that we gave to this source within the last minutes."""
        return any(fits(mac(secret, source), under_mac2, mac2) for secret in self._fresh(now))

    def _fresh(self, now: float) -> list[bytes]:
        if not self._secrets or now - self._secrets[0][0] >= SECRET_TIME:
            self._secrets = [(now, self._rng.randbytes(32)), *self._secrets[:1]]
        return [secret for made, secret in self._secrets if now - made < 2 * SECRET_TIME]
