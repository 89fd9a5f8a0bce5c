"""Values that several answers share."""

from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Any, Final

from meshchain.crypto.address import PREFIX, node_id
from meshrouter.directory import Directory
from meshrouter.wire.beacon import FORWARDS, HAS_TUN, TAKES_TRAINS

Form = dict[str, Any]
"""JSON-compatible."""
KeyOf = Callable[[bytes], bytes | None]
"""The key (32 bytes) of an id (14), as far as an announcement of it is known."""

_CAPS: Final = ((FORWARDS, "forwards"), (HAS_TUN, "tun"), (TAKES_TRAINS, "trains"))


def address_text(address: bytes) -> str:
    return str(IPv6Address(address))


def id_text(node: bytes) -> str:
    """The derived address of an id."""
    return address_text(PREFIX + node)


def node_form(directory: Directory, key: bytes) -> Form:
    """``name`` (None: no name vouches for it), ``key``, ``ip6`` (the derived address)."""
    return {"name": directory.binding(key).name, "key": key.hex(), "ip6": id_text(node_id(key) or bytes(14))}


def milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def caps_form(caps: int) -> list[str]:
    return [word for bit, word in _CAPS if caps & bit]
