"""End-to-end sessions: one form an address pair."""

from collections.abc import Iterable
from typing import Protocol

from meshrouter.control.forms import Form, address_text, node_form
from meshrouter.directory import Directory


class SessionView(Protocol):
    """A session as people see it. Times are running seconds."""

    @property
    def key(self) -> bytes:
        """The other end's."""

    @property
    def own(self) -> bytes:
        """Own address of the pair, 16 bytes."""

    @property
    def peer(self) -> bytes: ...

    @property
    def state(self) -> str:
        """up, or why not: waiting (for the handshake)."""

    @property
    def since(self) -> float: ...

    @property
    def used(self) -> float:
        """When data last went either way."""

    @property
    def rekeyed(self) -> float:
        """When its present keys were made."""

    @property
    def packet(self) -> int:
        """Bytes of the largest inner packet that the path takes."""

    @property
    def packets_in(self) -> int: ...

    @property
    def packets_out(self) -> int: ...

    @property
    def bytes_in(self) -> int: ...

    @property
    def bytes_out(self) -> int: ...


def sessions_form(sessions: Iterable[SessionView], directory: Directory, now: float) -> list[Form]:
    """The last used first."""
    return [_session(session, directory, now) for session in sorted(sessions, key=lambda s: (-s.used, s.peer))]


def _session(session: SessionView, directory: Directory, now: float) -> Form:
    node = node_form(directory, session.key)
    return {
        "name": node["name"],
        "key": node["key"],
        "own": address_text(session.own),
        "peer": address_text(session.peer),
        "state": session.state,
        "mtu": session.packet,
        "up_s": round(now - session.since, 1),
        "idle_s": round(max(0.0, now - session.used), 1),
        "keys_s": round(max(0.0, now - session.rekeyed), 1),
        "packets_in": session.packets_in,
        "packets_out": session.packets_out,
        "bytes_in": session.bytes_in,
        "bytes_out": session.bytes_out,
    }
