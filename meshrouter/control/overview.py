"""The router at a glance: what it is, what it stands on, what it dropped and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from meshrouter.control.forms import Form, address_text
from meshrouter.directory import Directory
from meshrouter.env import Env
from meshrouter.links.link import Link
from meshrouter.neighbours.neighbour import Neighbour


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the coordinator puts together for ``mesh_status``."""

    addresses: Sequence[bytes]
    """Own addresses, 16 bytes each, claimed first."""
    forwards: bool
    tun: str | None
    """The TUN's name; None without one."""
    links: Iterable[Link]
    neighbours: Iterable[Neighbour]
    routes: int
    sessions: int
    forwarded: int
    """Packets carried for others since the start."""
    delivered: int
    """Packets for this host."""
    rules: Sequence[tuple[str, int]] = ()
    """(rule as text, packets it decided)."""
    off: Mapping[str, str] | None = None
    """What does not run, and why: ``{"tun": "no permission …"}``."""


def overview_form(view: Overview, env: Env, directory: Directory, uptime: float) -> Form:
    met: dict[int, int] = {}
    for neighbour in view.neighbours:
        met[neighbour.link.number] = met.get(neighbour.link.number, 0) + 1
    binding = directory.binding(env.identity.key)
    return {
        "key": env.identity.key.hex(),
        "name": binding.name,
        "role": binding.role.name.lower(),
        "zone": env.zone,
        "addresses": [address_text(address) for address in view.addresses],
        "forwards": view.forwards,
        "tun": view.tun,
        "uptime_s": round(uptime, 1),
        "links": [_link(link, met.get(link.number, 0)) for link in view.links],
        "neighbours": sum(met.values()),
        "routes": view.routes,
        "sessions": view.sessions,
        "forwarded": view.forwarded,
        "delivered": view.delivered,
        "rules": [{"rule": text, "packets": packets} for text, packets in view.rules],
        "off": [{"part": part, "reason": reason} for part, reason in (view.off or {}).items()],
        "counters": dict(sorted(env.counters.items())),
    }


def _link(link: Link, neighbours: int) -> Form:
    return {
        "name": link.name,
        "medium": link.medium.value,
        "mtu": link.mtu,
        "up": link.up,
        "neighbours": neighbours,
    }
