"""The side that begins: Noise_IK_25519_ChaChaPoly_BLAKE2s, first message out, second in.

Theory of operation
===================
An initiation makes its Noise message once and may send it many times: ``message`` only makes the codes at its end anew.
So a responder can tell a repetition from another handshake by the ephemeral key, and answer it alike.

    state                 event                     leads to
    waiting               finish: all holds         done: the keys, once
    waiting               finish: anything wrong    waiting; the message is dropped, the true answer may still come
    waiting               read_cookie               waiting, and later messages carry mac2
    waiting               finish: opens, but        dead: the responder holds the X25519 key we asked for and goes
                          names another key         by another name

The last line is about the two Ed25519 keys A and −A, which have one X25519 key between them (RFC 7748 §4.1 drops the
sign): what we look for is A, all 32 bytes of it.
"""

import random
from dataclasses import dataclass, field
from typing import Final

from meshchain.crypto import ED25519_KEY_SIZE
from meshchain.crypto.address import node_id
from meshchain.crypto.noise import IK, HandshakeState, NoiseError
from meshrouter.errors import WireError
from meshrouter.handshake.cookies import open_cookie
from meshrouter.handshake.macs import fits, mac, mac1_key
from meshrouter.identity import Identity, static_of
from meshrouter.wire.handshake import NO_MAC, Init, Response

EPHEMERAL_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class Finished:
    """``remote_index``: under which the responder wants to be spoken to. The keys have 32 bytes."""

    payload: bytes
    """What the responder says of itself; begins with its key, which is the one that was looked for."""
    remote_index: int
    send: bytes = field(repr=False)
    receive: bytes = field(repr=False)


class Initiation:
    """One handshake with the holder of ``remote_key``. ``index``: under which we want to be answered, u32."""

    def __init__(
        self, identity: Identity, remote_key: bytes, prologue: bytes, payload: bytes, index: int, rng: random.Random
    ) -> None:
        """WireError (handshake-key): ``remote_key`` is no node's key, or our own."""
        remote_id = _id_of(remote_key)
        if remote_key == identity.key:
            raise WireError("handshake-key", "that key is our own")
        self.remote_key = remote_key
        self.index = index
        self.cookie: bytes | None = None
        """What ``read_cookie`` has read last."""
        self._responder = remote_id
        self._noise = HandshakeState(
            IK,
            initiator=True,
            prologue=prologue,
            static=identity.static,
            ephemeral=lambda: rng.randbytes(EPHEMERAL_SIZE),
            remote_static=static_of(remote_key),
        )
        first = self._noise.write_message(payload)
        self._init = Init(index, first, mac(mac1_key(remote_id), index.to_bytes(4, "big") + first))

    def message(self, cookie: bytes | None = None) -> bytes:
        """The body of an INIT. ``cookie``: one from an earlier handshake with the same node, if none has come since."""
        init, cookie = self._init, self.cookie or cookie
        mac2 = NO_MAC if cookie is None else mac(cookie, init.under_mac2)
        return init.under_mac2 + mac2

    def read_cookie(self, body: bytes) -> None:
        """The body of a COOKIE. WireError: wire-size, cookie-tag; nothing is changed then."""
        self.cookie = open_cookie(body, self._responder, self._init.mac1)

    def finish(self, body: bytes) -> Finished:
        """The body of a RESPONSE. WireError: wire-size, handshake-mac1, handshake-noise; handshake-key ends it."""
        response = Response.decode(body)
        if not fits(mac1_key(self._responder), response.under_mac1, response.mac1):
            raise WireError("handshake-mac1", "mac1 does not fit")
        if self._noise.finished:
            raise WireError("handshake-over", "this handshake has had its answer")
        try:
            payload = self._noise.read_message(response.noise)
        except NoiseError as error:
            raise WireError("handshake-noise", error.message) from error
        if payload[:ED25519_KEY_SIZE] != self.remote_key:
            raise WireError("handshake-key", "who answers goes by another key than the one that was asked for")
        return Finished(payload, response.sender, *self._noise.split_keys())


def _id_of(key: bytes) -> bytes:
    derived = node_id(key)
    if derived is None:
        raise WireError("handshake-key", "the key's address falls into eeee::/80")
    try:
        static_of(key)
    except ValueError as error:
        raise WireError("handshake-key", str(error)) from error
    return derived
