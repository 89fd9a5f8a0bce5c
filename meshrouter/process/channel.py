"""JSON messages between the node and its router, over a socketpair.

On the wire: u32 length ‖ a JSON object in UTF-8, at most MOST_MESSAGE bytes. Both ends are one program's, and yet what
comes is judged: a length that cannot be or a text that is no object ends the channel (ChannelError), since nothing
after it could be trusted to begin where it seems to. The end of the channel is the end of the router.
"""

import json
import socket
from typing import Any, Final

from meshrouter.errors import LocalError

MOST_MESSAGE: Final = 1 << 20
MOST_UNSENT: Final = 16 << 20
"""Bytes that wait for a node that reads nothing: a minute of a busy router's talk. Then it is as good as dead."""
_LENGTH: Final = 4
_READ: Final = 262_144
_MOST_READS: Final = 16

Message = dict[str, Any]


class ChannelError(LocalError):
    """Code ``channel``: the other end does not speak this."""


def encode(message: Message) -> bytes:
    """One message as bytes. ChannelError if it is too long."""
    text = json.dumps(message, separators=(",", ":")).encode()
    if len(text) > MOST_MESSAGE:
        raise ChannelError("channel", f"a message of {len(text)} bytes is too long for the router's channel")
    return len(text).to_bytes(_LENGTH, "big") + text


class Splitter:
    """Bytes in, the texts of messages out. Holds less than one message."""

    def __init__(self) -> None:
        self._held = bytearray()

    def add(self, data: bytes) -> list[bytes]:
        """ChannelError: a length that cannot be."""
        self._held += data
        texts: list[bytes] = []
        at = 0
        while (end := self._end(at)) is not None:
            texts.append(bytes(self._held[at + _LENGTH : end]))
            at = end
        del self._held[:at]
        return texts

    def _end(self, at: int) -> int | None:
        """Where the message at ``at`` ends; None while it is incomplete."""
        if len(self._held) - at < _LENGTH:
            return None
        length = int.from_bytes(self._held[at : at + _LENGTH], "big")
        if length > MOST_MESSAGE:
            raise ChannelError("channel", f"a message claims {length} bytes")
        end = at + _LENGTH + length
        return end if end <= len(self._held) else None


def decode(text: bytes) -> Message:
    """ChannelError for what is no JSON object."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise ChannelError("channel", "a message is no JSON") from None
    if not isinstance(message, dict):
        raise ChannelError("channel", "a message is no object")
    return message


class Channel:
    """One end, non-blocking. ``ended`` when the other end is closed."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._splitter = Splitter()
        self._unsent = bytearray()
        self.ended = False

    def fileno(self) -> int:
        return self._socket.fileno()

    def receive(self) -> list[Message]:
        """What has come. ChannelError."""
        messages: list[Message] = []
        for _ in range(_MOST_READS):
            try:
                data = self._socket.recv(_READ)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.ended = True
                break
            messages += map(decode, self._splitter.add(data))
        return messages

    def send(self, message: Message) -> None:
        """Leaves with ``flush``. ChannelError if too much waits already."""
        if len(self._unsent) > MOST_UNSENT:
            raise ChannelError("channel", "the node does not read what its router says")
        self._unsent += encode(message)

    def flush(self) -> bool:
        """Whether something has to wait until the channel is writable."""
        while self._unsent and not self.ended:
            try:
                sent = self._socket.send(self._unsent)
            except BlockingIOError:
                return True
            except OSError:
                self.ended = True
                break
            del self._unsent[:sent]
        return False

    def close(self) -> None:
        self._socket.close()
