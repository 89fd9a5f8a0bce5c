"""What a connection makes of messages: the real transport's cipher, or a quick one that keeps only the framing.

Both take and give bytes, deliver the same messages in the same order, and tell the peer's key first. ``Quick`` believes
the key it is told: for simulations in which nobody lies about it, at a tenth of the CPU.
"""

from collections.abc import Callable
from typing import Final, Protocol

from meshchain.crypto import ed25519_public_key
from meshchain.p2p.transport import Established, Event, Received, Stream

_KEY: Final = 32
_LENGTH: Final = 4


class Carriage(Protocol):
    """One end of a connection."""

    def receive(self, data: bytes, now: float) -> list[Event]:
        """TransportError: the connection is dead."""

    def send(self, message: bytes) -> None: ...

    def take_output(self) -> bytes: ...


class Quick:
    """u32 length ‖ message, after 32 bytes of key."""

    def __init__(self, key: bytes) -> None:
        self._output = bytearray(key)
        self._input = bytearray()
        self._established = False

    def receive(self, data: bytes, now: float) -> list[Event]:  # noqa: ARG002 - there is no time limit
        self._input += data
        events: list[Event] = []
        if not self._established:
            if len(self._input) < _KEY:
                return events
            self._established = True
            events.append(Established(self._take(_KEY)))
        while (message := self._next()) is not None:
            events.append(Received(message))
        return events

    def send(self, message: bytes) -> None:
        self._output += len(message).to_bytes(_LENGTH, "big") + message

    def take_output(self) -> bytes:
        output = bytes(self._output)
        self._output.clear()
        return output

    def _next(self) -> bytes | None:
        if len(self._input) < _LENGTH:
            return None
        size = int.from_bytes(self._input[:_LENGTH], "big")
        if len(self._input) < _LENGTH + size:
            return None
        return self._take(_LENGTH + size)[_LENGTH:]

    def _take(self, size: int) -> bytes:
        taken = bytes(self._input[:size])
        del self._input[:size]
        return taken


Maker = Callable[[bytes, bool, Callable[[int], bytes], float], Carriage]
"""(own seed, initiator, random bytes, now) → a carriage."""


def quick(seed: bytes, initiator: bool, rng: Callable[[int], bytes], now: float) -> Carriage:  # noqa: ARG001
    return Quick(ed25519_public_key(seed))


def noise(seed: bytes, initiator: bool, rng: Callable[[int], bytes], now: float) -> Carriage:
    return Stream(initiator=initiator, seed=seed, rng=rng, now=now)
