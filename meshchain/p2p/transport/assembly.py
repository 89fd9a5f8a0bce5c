"""Messages in a stream of plaintext: a big-endian u32, and as many bytes."""

from collections.abc import Callable
from typing import Final

from meshchain.p2p.transport.errors import TransportError

LENGTH_SIZE: Final = 4
MAX_MESSAGE: Final = (4 << 20) + (1 << 18)
"""Bytes of the longest message of any type on any network: blocks have at most 4 MiB, compact ones a little more."""


def packed(message: bytes) -> bytes:
    """ValueError for a message that the peer would refuse."""
    if not 0 < len(message) <= MAX_MESSAGE:
        raise ValueError(f"a message has 1 to {MAX_MESSAGE} bytes, not {len(message)}")
    return len(message).to_bytes(LENGTH_SIZE, "big") + message


class Assembler:
    """Puts messages together; holds what has come of the one under way, never what was only announced."""

    __slots__ = ("_bytes", "_limit_of")

    def __init__(self, limit_of: Callable[[int], int]) -> None:
        """``limit_of(type)``: the most bytes of a message that begins with the byte ``type``."""
        self._bytes = bytearray()
        self._limit_of = limit_of

    def __len__(self) -> int:
        return len(self._bytes)

    def add(self, plaintext: bytes) -> list[bytes]:
        """The messages that ``plaintext`` completes. TransportError: message-empty, message-too-long."""
        self._bytes += plaintext
        messages, start = [], 0
        while (size := self._announced(start)) is not None:
            end = start + LENGTH_SIZE + size
            if end > len(self._bytes):
                break
            messages.append(bytes(self._bytes[start + LENGTH_SIZE : end]))
            start = end
        del self._bytes[:start]
        return messages

    def _announced(self, start: int) -> int | None:
        """The length announced at ``start``, checked with all that is there; None if it is not complete."""
        content = start + LENGTH_SIZE
        if len(self._bytes) < content:
            return None
        size = int.from_bytes(self._bytes[start:content], "big")
        if size == 0:
            raise TransportError("message-empty", "a message of no bytes was announced", proven=True)
        limit = min(MAX_MESSAGE, self._limit_of(self._bytes[content])) if len(self._bytes) > content else MAX_MESSAGE
        if size > limit:
            raise TransportError("message-too-long", f"{size} bytes announced where {limit} are allowed", proven=True)
        return size
