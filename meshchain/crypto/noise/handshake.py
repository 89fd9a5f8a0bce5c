"""HandshakeState (Noise specification, revision 34, §5.3): two sides that may not know each other agree on keys.

Theory of operation
===================
A handshake is a short list of messages that the sides send in turn, each a list of tokens (``patterns``) and a
payload. ``e`` and ``s`` put a public key on the wire, the ephemeral one in clear, the static one sealed as soon as
there is a key to seal with. The tokens of two letters put nothing on the wire: both sides compute the same X25519
secret and mix it into a chaining key, from which the key for what follows is derived. Everything on the wire, and
before it the protocol's name, the prologue and a key known beforehand, is also mixed into the *handshake hash*, which
is the associated data of everything sealed. So a message opens only if both sides have seen the same bytes in the same
order, started from the same prologue, and hold the private keys of what they showed.

    state               next event              leads to
    step n, my turn     write_message           step n + 1
    step n, theirs      read_message            step n + 1; on NoiseError the same state as before
    all steps done      split                   two ciphers, one per direction

``read_message`` changes nothing unless the whole message is good. On a stream a bad message ends the connection anyway;
over datagrams anyone can send a forged reply, and it must not end a handshake whose true reply is still under way.
This is safe because a state answers a step once: no ephemeral key ever serves two different messages.

What a side knows when: who has read a static key does not yet know that its peer holds the private part, unless the
token that uses it (``es`` or ``se``) came in the same message or before. In XX the initiator knows after message 2, the
responder after message 3. The first message of any pattern can be recorded and replayed; what it brings must not be
acted on before a later message has shown that the initiator is present.

Secrets that X25519 makes all zero are refused, though the specification allows them: they come from keys of small
order, which no honest side has.
"""

from collections.abc import Callable
from typing import Final

from meshchain.crypto.ed25519 import x25519
from meshchain.crypto.noise.cipher import TAG_SIZE, CipherState
from meshchain.crypto.noise.errors import NoiseError
from meshchain.crypto.noise.patterns import Pattern, Token
from meshchain.crypto.noise.symmetric import SymmetricState

KEY_SIZE: Final = 32
MAX_NOISE_MESSAGE: Final = 65_535
"""Bytes of a handshake or transport message (§3)."""
MAX_PAYLOAD: Final = MAX_NOISE_MESSAGE - 2 * KEY_SIZE - 2 * TAG_SIZE
"""Bytes that fit beside all that one message of a pattern here carries."""
_BASE_POINT: Final = (9).to_bytes(KEY_SIZE, "little")


def x25519_public(private: bytes) -> bytes:
    """RFC 7748 §6.1. ValueError unless ``private`` has 32 bytes."""
    return x25519(private, _BASE_POINT)


class HandshakeState:
    """One side of one handshake.

    ``static``: own X25519 private key. ``ephemeral``: gives 32 fresh secret bytes, asked once. ``remote_static``: the
    responder's public key, for the initiator of a pattern that knows it, else None. Calls out of turn are RuntimeError.
    """

    def __init__(
        self,
        pattern: Pattern,
        *,
        initiator: bool,
        prologue: bytes,
        static: bytes,
        ephemeral: Callable[[], bytes],
        remote_static: bytes | None = None,
    ) -> None:
        if (remote_static is not None) != (pattern.responder_known and initiator):
            raise ValueError(f"remote_static is for the initiator of XK and IK, {pattern.name} was asked")
        self._messages = pattern.messages
        self._initiator = initiator
        self._ephemeral = ephemeral
        self._private = {"s": static}
        self._public = {"s": x25519_public(static)}
        self._remote = {} if remote_static is None else {"s": remote_static}
        self._step = 0
        self._symmetric = SymmetricState(pattern.protocol)
        self._symmetric.mix_hash(prologue)
        if pattern.responder_known:
            self._symmetric.mix_hash((self._remote if initiator else self._public)["s"])

    @property
    def remote_static(self) -> bytes | None:
        """The other side's X25519 key, once known."""
        return self._remote.get("s")

    @property
    def handshake_hash(self) -> bytes:
        """32 bytes that stand for everything said so far; of the whole handshake once ``finished`` (§11.2)."""
        return self._symmetric.hash

    @property
    def finished(self) -> bool:
        return self._step == len(self._messages)

    @property
    def my_turn(self) -> bool:
        """Whether ``write_message`` is next."""
        return not self.finished and (self._step % 2 == 0) == self._initiator

    def write_message(self, payload: bytes = b"") -> bytes:
        """The next message. ValueError for more than MAX_PAYLOAD bytes.

        NoiseError (noise-key): a key of the other side is of small order; the handshake cannot go on.
        """
        tokens = self._turn(mine=True)
        if len(payload) > MAX_PAYLOAD:
            raise ValueError(f"a handshake payload has at most {MAX_PAYLOAD} bytes, not {len(payload)}")
        message = b"".join(map(self._write_token, tokens)) + self._symmetric.seal_and_hash(payload)
        self._step += 1
        return message

    def read_message(self, message: bytes) -> bytes:
        """The payload of the other side's next message. NoiseError leaves the handshake as it was."""
        tokens = self._turn(mine=False)
        before = self._symmetric.copy(), dict(self._remote)
        try:
            payload = self._read(tokens, message)
        except NoiseError:
            self._symmetric, self._remote = before
            raise
        self._step += 1
        return payload

    def split(self) -> tuple[CipherState, CipherState]:
        """The ciphers to send and to receive with. The handshake's secrets should be forgotten then."""
        send, receive = self.split_keys()
        return CipherState(send), CipherState(receive)

    def split_keys(self) -> tuple[bytes, bytes]:
        """The keys of those ciphers, 32 bytes each, for protocols that number their messages themselves (§11.4)."""
        if not self.finished:
            raise RuntimeError("the handshake is not over")
        forth, back = self._symmetric.split_keys()
        return (forth, back) if self._initiator else (back, forth)

    def _turn(self, *, mine: bool) -> tuple[Token, ...]:
        if self.finished or self.my_turn is not mine:
            raise RuntimeError(f"not the time to {'write' if mine else 'read'} a handshake message")
        return self._messages[self._step]

    def _write_token(self, token: Token) -> bytes:
        if token == "e":
            self._private["e"] = self._ephemeral()
            self._public["e"] = x25519_public(self._private["e"])
            self._symmetric.mix_hash(self._public["e"])
            return self._public["e"]
        if token == "s":
            return self._symmetric.seal_and_hash(self._public["s"])
        self._mix(token)
        return b""

    def _read(self, tokens: tuple[Token, ...], message: bytes) -> bytes:
        if len(message) > MAX_NOISE_MESSAGE:
            raise NoiseError("noise-size", f"{len(message)} bytes; a Noise message has at most {MAX_NOISE_MESSAGE}")
        rest = message
        for token in tokens:
            rest = rest[self._read_token(token, rest) :]
        return self._symmetric.open_and_hash(rest)

    def _read_token(self, token: Token, rest: bytes) -> int:
        """Returns the number of bytes it took."""
        if len(token) == 2:
            self._mix(token)
            return 0
        size = KEY_SIZE + (TAG_SIZE if token == "s" and self._symmetric.has_key else 0)
        if len(rest) < size:
            raise NoiseError("noise-size", f"the message ends inside key {token}")
        if token == "s":
            self._remote["s"] = self._symmetric.open_and_hash(rest[:size])
        else:
            self._remote["e"] = rest[:size]
            self._symmetric.mix_hash(rest[:size])
        return size

    def _mix(self, token: Token) -> None:
        own = 0 if self._initiator else 1
        try:
            secret = x25519(self._private[token[own]], self._remote[token[1 - own]])
        except ValueError as error:
            raise NoiseError("noise-key", "an X25519 key of small order") from error
        self._symmetric.mix_key(secret)
