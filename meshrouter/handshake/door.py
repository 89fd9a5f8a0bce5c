"""The side that answers, and what keeps a crowd at the door from eating the machine.

Theory of operation
===================
An INIT costs its receiver about 0.75 ms with its answer (seven multiplications on the curve) and its sender nothing, if
it is forged or replayed. So the checks come in the order of their price, and each is needed to get to the next:

    mac1        1 µs      the sender knows whom it speaks to
    the rate              handshakes are taken freely up to ``FREE_RATE`` a second, some saved up
    mac2        4 µs      beyond that only from sources that have shown, by returning a cookie, that they receive there;
                          who shows none is sent one (stateless, 15 µs, shorter than what it answers);
                          per source and in sum, these have rates of their own
    Noise       0.4 ms    the sender holds the private part of the X25519 key it shows, and means us
    the key               an Ed25519 key that is one, whose X25519 form is that key, and whose id is an address

Nothing is remembered of an INIT but the tokens it took, until the caller ``answer``s the offer. A *replayed* INIT gets
through all of this: who answers must not act on it before a sealed message has shown that the initiator is present.

In the worst case, a flood whose cookies are good, the door takes (``FREE_RATE`` + ``MOST_RATE``) × 0.75 ms = 5 % of a
core.
"""

import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from meshchain.crypto import ED25519_KEY_SIZE, is_ed25519_public_key
from meshchain.crypto.address import node_id
from meshchain.crypto.noise import IK, HandshakeState, NoiseError
from meshrouter.errors import WireError
from meshrouter.handshake.cookies import CookieMaker
from meshrouter.handshake.initiation import EPHEMERAL_SIZE
from meshrouter.handshake.macs import fits, mac, mac1_key
from meshrouter.identity import Identity, static_of
from meshrouter.tokens import Bucket
from meshrouter.wire.handshake import NO_MAC, Init, Response

FREE_RATE: Final = 20.0
"""INITs a second that need no cookie: more than a network that lives has, even one whose power came back."""
FREE_BURST: Final = 60.0
MOST_RATE: Final = 50.0
"""INITs a second that are taken at all."""
SOURCE_RATE: Final = 2.0
"""INITs a second from one source with a cookie; a handshake that is repeated needs one a second."""
SOURCE_BURST: Final = 5.0
MOST_SOURCES: Final = 1024
"""Sources whose rate is remembered (200 KB); the one that was quiet longest is forgotten."""


@dataclass(frozen=True, slots=True)
class CookieReply:
    """``body``: of a COOKIE, 56 bytes, for the initiator's index ``remote_index``."""

    body: bytes
    remote_index: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A first message that holds: ``key`` has made it, now or long ago."""

    key: bytes
    payload: bytes
    """What the initiator says of itself; begins with ``key``."""
    remote_index: int
    ephemeral: bytes
    """The initiator's, 32 bytes: by it a repetition is known."""
    _noise: HandshakeState = field(repr=False)
    _mac1_key: bytes = field(repr=False)

    def answer(self, payload: bytes, index: int) -> tuple[bytes, bytes, bytes]:
        """(body of a RESPONSE, key to send with, key to receive with); once. ``index``: under which we want frames.

        WireError (handshake-noise): a key of small order.
        """
        try:
            second = self._noise.write_message(payload)
        except NoiseError as error:
            raise WireError("handshake-noise", error.message) from error
        before = index.to_bytes(4, "big") + second
        body = Response(index, second, mac(self._mac1_key, before), NO_MAC).encode()
        return body, *self._noise.split_keys()


class Door:
    """One per prologue, for all that begin handshakes with this node."""

    def __init__(self, identity: Identity, prologue: bytes, rng: random.Random) -> None:
        self._identity = identity
        self._prologue = prologue
        self._rng = rng
        self._mac1_key = mac1_key(identity.id)
        self._cookies = CookieMaker(identity.id, rng)
        self._free = Bucket(FREE_RATE, FREE_BURST)
        self._all = Bucket(MOST_RATE, MOST_RATE)
        self._sources: OrderedDict[bytes, Bucket] = OrderedDict()

    def consume(
        self, body: bytes, source: bytes, now: float, *, known: Callable[[], bool] = lambda: False
    ) -> Offer | CookieReply:
        """The body of an INIT. ``source``: where it came from, as exactly as the sender cannot choose it.

        ``known`` (asked under load only): a session with that source exists, so that, with a cookie, it need not share
        the rate of strangers.

        WireError: wire-size, handshake-mac1, handshake-rate, handshake-noise, handshake-key.
        """
        init = Init.decode(body)
        if not self.knows_us(init):
            raise WireError("handshake-mac1", "mac1 does not fit")
        if not self._free.spend(1, now):
            if not self._cookies.holds(source, init.under_mac2, init.mac2, now):
                return CookieReply(self._cookies.sealed(source, init.mac1, now), init.sender)
            self._limit(source, now, known)
        return self._read(init)

    def knows_us(self, init: Init) -> bool:
        """Whether mac1 fits."""
        return fits(self._mac1_key, init.under_mac1, init.mac1)

    def _limit(self, source: bytes, now: float, known: Callable[[], bool]) -> None:
        bucket = self._sources.pop(source, None) or Bucket(SOURCE_RATE, SOURCE_BURST)
        self._sources[source] = bucket
        if len(self._sources) > MOST_SOURCES:
            self._sources.popitem(last=False)
        if not (bucket.spend(1, now) and (known() or self._all.spend(1, now))):
            raise WireError("handshake-rate", "more handshakes than one source, or all together, may begin")

    def _read(self, init: Init) -> Offer:
        noise = HandshakeState(
            IK,
            initiator=False,
            prologue=self._prologue,
            static=self._identity.static,
            ephemeral=lambda: self._rng.randbytes(EPHEMERAL_SIZE),
        )
        try:
            payload = noise.read_message(init.noise)
        except NoiseError as error:
            raise WireError("handshake-noise", error.message) from error
        key = payload[:ED25519_KEY_SIZE]
        self._check(key, noise.remote_static)
        return Offer(key, payload, init.sender, init.noise[:EPHEMERAL_SIZE], noise, self._mac1_key)

    def _check(self, key: bytes, static: bytes | None) -> None:
        """WireError (handshake-key) unless ``key`` is what the holder of ``static`` may go by."""
        if not is_ed25519_public_key(key) or static_of(key) != static:
            raise WireError("handshake-key", "the key named is not that of whoever made this message")
        if node_id(key) is None or key == self._identity.key:
            raise WireError("handshake-key", "no node but ourselves has this key, or none at all")
