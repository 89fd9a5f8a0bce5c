"""The links of the configuration, in the router's terms."""

from collections.abc import Sequence

from meshchain.config.links import EthernetInterface, Link, NoLink, TcpListen, TcpPeer, UdpInterface, UdpListen, UdpPeer
from meshrouter.links.specs import DEFAULT, Kind, LinkSpec


def link_specs(links: Sequence[Link] | None) -> list[LinkSpec]:
    """None, no link given: UDP on every interface that is up."""
    return list(DEFAULT) if links is None else [_spec(link) for link in links if not isinstance(link, NoLink)]


def _spec(link: Link) -> LinkSpec:
    name = str(link)
    match link:
        case UdpInterface():
            return LinkSpec(kind=Kind.UDP_INTERFACE, name=name, interface=link.interface, port=link.port)
        case EthernetInterface():
            return LinkSpec(kind=Kind.ETHERNET, name=name, interface=link.interface)
        case UdpPeer():
            return _at(Kind.UDP_PEER, name, link.address.host, link.address.port)
        case UdpListen():
            return _at(Kind.UDP_LISTEN, name, link.address.host, link.address.port)
        case TcpPeer():
            return _at(Kind.TCP_PEER, name, link.address.host, link.address.port)
        case TcpListen():
            return _at(Kind.TCP_LISTEN, name, link.address.host, link.address.port)
        case NoLink():
            raise ValueError("no link is no link")


def _at(kind: Kind, name: str, host: str, port: int) -> LinkSpec:
    return LinkSpec(kind=kind, name=name, host=host, port=port)
