"""Proven nodes on our links, as gossip needs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from meshrouter.binding_form import bytes_from_json


@dataclass(frozen=True, slots=True)
class MeshNeighbour:
    """``key``: 32 bytes, ``address``: derived mesh address, 16; ``gossip_port``: TCP, 0 for none."""

    key: bytes
    address: bytes
    gossip_port: int
    underlay: str | None
    """Its IP address on the link, where the link runs over IP."""
    tun: bool

    @classmethod
    def from_form(cls, form: Mapping[str, Any]) -> Self:
        """As the router says it. KeyError, TypeError or ValueError for what it does not say."""
        underlay = form["underlay"]
        if not isinstance(underlay, str | None):
            raise TypeError("underlay is text")
        return cls(
            bytes_from_json(form["key"], 32),
            bytes_from_json(form["address"], 16),
            int(form["gossip_port"]),
            underlay,
            bool(form["tun"]),
        )
