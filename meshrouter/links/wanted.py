"""Which links on interfaces there should be now, by what is asked for and by the interfaces that exist."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshrouter.links.interfaces import Interface, InterfaceTable
from meshrouter.links.specs import Kind, LinkSpec


@dataclass(frozen=True, slots=True)
class Wanted:
    """One link on one interface. Links with equal ``key`` are the same link; only the MTU may differ."""

    spec: LinkSpec
    interface: Interface

    @property
    def key(self) -> tuple[object, ...]:
        interface = self.interface
        addresses = (interface.link_local, interface.ipv4) if self.spec.kind is Kind.UDP_INTERFACE else ()
        return self.spec, interface.index, interface.name, interface.mac, addresses


def wanted_links(
    specs: Sequence[LinkSpec], table: InterfaceTable, own_devices: Sequence[str]
) -> tuple[list[Wanted], dict[str, str]]:
    """(links, {spec's name: why it has none}). ``own_devices``: our TUNs, which must carry no link."""
    wanted: list[Wanted] = []
    troubles: dict[str, str] = {}
    for spec in specs:
        if spec.kind in (Kind.UDP_INTERFACE, Kind.ETHERNET):
            interface = table.by_name(spec.interface)
            trouble = _trouble(spec, interface, own_devices)
            if trouble is not None:
                troubles[spec.name] = trouble
            elif interface is not None:
                wanted.append(Wanted(spec, interface))
    named = {spec.interface for spec in specs if spec.kind is Kind.UDP_INTERFACE}
    for spec in specs:
        if spec.kind is Kind.EVERYWHERE:
            wanted += _everywhere(spec, table.by_index.values(), [*own_devices, *named])
    return wanted, troubles


def _trouble(spec: LinkSpec, interface: Interface | None, own_devices: Sequence[str]) -> str | None:
    if interface is None:
        return f"there is no interface {spec.interface} now; the link begins when it appears"
    if interface.name in own_devices:
        return f"{interface.name} is the mesh's own device"
    if (objection := interface.objection()) is not None:
        return f"{interface.name} cannot be a link: {objection}"
    if not interface.is_up:
        return f"{interface.name} is down or has no carrier; the link begins when it is up"
    return None


def _everywhere(spec: LinkSpec, interfaces: Iterable[Interface], but: Sequence[str]) -> list[Wanted]:
    return [
        Wanted(
            LinkSpec(kind=Kind.UDP_INTERFACE, name=f"udp:{each.name}", interface=each.name, port=spec.port),
            each,
        )
        for each in interfaces
        if each.is_up and each.objection() is None and each.name not in but and _has_address(each)
    ]


def _has_address(interface: Interface) -> bool:
    return interface.is_loopback or interface.link_local is not None or interface.ipv4 is not None
