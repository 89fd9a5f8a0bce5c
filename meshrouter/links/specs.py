"""What links the router is asked for: the node has parsed its options and says it in JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from meshrouter.errors import LocalError


class Kind(Enum):
    UDP_INTERFACE = "udp-interface"
    UDP_PEER = "udp-peer"
    UDP_LISTEN = "udp-listen"
    ETHERNET = "ethernet"
    TCP_PEER = "tcp-peer"
    TCP_LISTEN = "tcp-listen"
    EVERYWHERE = "udp-everywhere"
    """``udp:IFACE`` on every interface that is up, also on those that come later: what a node does by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSpec:
    """``interface`` for links on one; ``host`` and ``port`` for the others (and the port of udp:IFACE)."""

    kind: Kind
    name: str
    """As users write it: ``udp:eth0``."""
    interface: str = ""
    host: str = ""
    port: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"kind": self.kind.value}

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> "LinkSpec":
        """LocalError (spec): the node and its router are not of one version."""
        try:
            return cls(**{**form, "kind": Kind(form["kind"])})
        except (KeyError, TypeError, ValueError) as error:
            raise LocalError("spec", f"the node asks for a link that this router does not know: {error}") from None


DEFAULT: Sequence[LinkSpec] = (LinkSpec(kind=Kind.EVERYWHERE, name="udp", port=3003),)
