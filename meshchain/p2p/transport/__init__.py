"""Authenticated, encrypted messages over a byte stream; sans-IO."""

from meshchain.p2p.transport.assembly import MAX_MESSAGE
from meshchain.p2p.transport.errors import TransportError
from meshchain.p2p.transport.stream import HANDSHAKE_TIME, Established, Event, Received, Stream

__all__ = ["HANDSHAKE_TIME", "MAX_MESSAGE", "Established", "Event", "Received", "Stream", "TransportError"]
