"""One peer's byte stream: bytes in, messages of a known sender out, and the reverse.

Theory of operation
===================
On the wire everything is a frame: u16 length and a Noise message. Three frames are the handshake (Noise_XX, prologue
``meshchain gossip 1``), the others are sealed with the keys it gave. The plaintexts of one direction, joined, are its
messages one after another, each behind a u32 length; frames and messages need not begin together.

::

    initiator                                         responder
        e                                  32 bytes →
                          ← 192 bytes  e, s, proof        learns nothing yet
    knows the responder; says so
        s, proof                          160 bytes →
                                                          knows the initiator; says so
                    messages, both ways

                 handshake bytes            all three good
    HANDSHAKE  ------------------->  …  ---------------------->  OPEN  --- frames ---> messages
        |                                                          |
        +---------- any fault, or 10 s ----------> DEAD <----------+ any fault

**Who the peer is.** ``proof`` is the sender's node key and its signature (``identity``). ``Established`` is told when
the proof has been checked, not before; no message is delivered before it, and the initiator shows its own key to
nobody who has not proven one. That a key is proven says nothing about whether its holder is welcome; that
is for the caller, and so is noticing that it is talking to itself.

**What a replay gets.** The responder's ephemeral key is fresh, so a recorded initiator's third frame does not open:
whoever replays it gets the responder's second frame, which it cannot read, and a dead stream. Frames of an open stream
are numbered by the cipher; one that is changed, repeated, left out or out of order does not open.

**Bounds.** A frame's length is judged when its two bytes are there: in the handshake it must be the one length that
the message has, later 17 to 65,535. A message's length is judged when its four bytes are there, and again by its type
when the fifth is (``limit_of``). What is held is what has come: less than a frame, and the message under way. A
handshake costs the responder five X25519, a signature and a check (about 0.6 ms of CPU with the fast arm); a stranger
who sends only the first 34 bytes causes most of that, and has the connection for 10 s.

**Faults.** The first fault kills the stream: messages that came in the same call are dropped with it, everything
after is refused. TransportError says whether the fault is the proven peer's own.

**Ends.** TCP's end is not authenticated. ``end`` says whether it cut something off; a cut between two messages cannot
be told from a peer that went.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from meshchain.crypto.noise import NoiseError
from meshchain.p2p.transport.assembly import MAX_MESSAGE, Assembler, packed
from meshchain.p2p.transport.errors import TransportError
from meshchain.p2p.transport.frames import MAX_PLAIN, MAX_SEALED, MIN_SEALED, FrameCipher, FrameSplitter, frame
from meshchain.p2p.transport.keyexchange import KeyExchange

HANDSHAKE_TIME: Final = 10.0
"""Seconds from the stream's beginning to the last byte of its handshake."""


@dataclass(frozen=True, slots=True)
class Established:
    """The peer has proven this node key (Ed25519, 32 bytes)."""

    remote_key: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """One message, 1 to MAX_MESSAGE bytes, from the proven peer."""

    message: bytes


Event: TypeAlias = Established | Received


def any_type(_kind: int) -> int:
    """The limit of messages whose types are not told apart."""
    return MAX_MESSAGE


class Stream:
    """Our end. ``seed``: own Ed25519 seed; ``rng(n)``: n secret random bytes; ``now``: running seconds.

    ``limit_of(type)``: the most bytes of a message whose first byte is ``type``; 0 for an unknown one.
    """

    def __init__(
        self,
        *,
        initiator: bool,
        seed: bytes,
        rng: Callable[[int], bytes],
        now: float,
        limit_of: Callable[[int], int] = any_type,
    ) -> None:
        self._exchange: KeyExchange | None = KeyExchange(initiator=initiator, seed=seed, rng=rng)
        self._ciphers: tuple[FrameCipher, FrameCipher] | None = None
        self._until = now + HANDSHAKE_TIME
        self._dead = False
        self._input = FrameSplitter()
        self._messages = Assembler(limit_of)
        self._frames = bytearray()
        self._plain = bytearray()
        self._answer(self._exchange)

    def deadline(self) -> float | None:
        """The handshake must be over by then; None when it is, or when the stream is dead."""
        return None if self._exchange is None or self._dead else self._until

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Bytes from the socket. TransportError: close the connection, and see its ``proven`` before blaming."""
        self._check_alive()
        try:
            return self._take(data, now)
        except NoiseError as error:
            self._dead = True
            raise TransportError(error.code, error.message) from error
        except TransportError:
            self._dead = True
            raise

    def end(self) -> None:
        """The socket has no more bytes. TransportError (truncated) if they end inside something."""
        self._check_alive()
        self._dead = True
        if self._exchange is not None or self._input or self._messages:
            what = "handshake" if self._exchange is not None else "message"
            raise TransportError("truncated", f"the stream ended inside a {what}")

    def send(self, message: bytes) -> None:
        """Put a message into the output. RuntimeError before Established; ValueError for 0 or > MAX_MESSAGE bytes."""
        if self._ciphers is None:
            raise RuntimeError("nobody is known to be at the other end yet")
        self._plain += packed(message)

    @property
    def unsent(self) -> int:
        """Bytes that take_output would take, seals not counted: how far the peer is behind in reading."""
        return len(self._frames) + len(self._plain)

    @property
    def held(self) -> int:
        """Bytes of input kept: of an incomplete frame and of the message under way."""
        return len(self._input) + len(self._messages)

    def take_output(self) -> bytes:
        """Bytes for the socket; what was sent since the last call shares frames."""
        if self._ciphers is not None:
            for start in range(0, len(self._plain), MAX_PLAIN):
                self._frames += frame(self._ciphers[0].seal(bytes(self._plain[start : start + MAX_PLAIN])))
            self._plain.clear()
        output = bytes(self._frames)
        self._frames.clear()
        return output

    def _check_alive(self) -> None:
        if self._dead:
            raise TransportError("closed", "the stream has failed or ended before")

    def _take(self, data: bytes, now: float) -> list[Event]:
        if self._exchange is not None and now > self._until:
            raise TransportError("handshake-timeout", f"no handshake within {HANDSHAKE_TIME:.0f} s")
        self._input.add(data)
        return [*self._shake(), *self._open()]

    def _shake(self) -> Iterator[Event]:
        while (exchange := self._exchange) is not None:
            content = self._input.take("handshake-size", exchange.next_size, exchange.next_size)
            if content is None:
                return
            exchange.read(content)
            self._answer(exchange)
            if exchange.finished:
                yield self._established(exchange)

    def _answer(self, exchange: KeyExchange) -> None:
        message = exchange.write()
        if message is not None:
            self._frames += frame(message)

    def _established(self, exchange: KeyExchange) -> Established:
        sending, receiving = exchange.split()
        self._ciphers = FrameCipher(sending), FrameCipher(receiving)
        self._exchange = None
        assert exchange.remote_key is not None
        return Established(exchange.remote_key)

    def _open(self) -> Iterator[Event]:
        while self._ciphers is not None:
            content = self._input.take("frame-size", MIN_SEALED, MAX_SEALED)
            if content is None:
                return
            for message in self._messages.add(self._ciphers[1].open(content)):
                yield Received(message)
