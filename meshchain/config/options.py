"""The table of meshd's options. Names are the same on the command line and in the file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from meshchain.config import values
from meshchain.config.links import parse_link
from meshchain.ledger import params
from meshchain.ledger.errors import LocalError


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    name: str
    metavar: str
    help: str
    parse: Callable[[str], object]
    """From one text; raises ValueError with the reason."""
    default: Callable[[params.Params], str] | None = None
    """Text of the default, which is parsed like any other; None: described in ``default_note``."""
    default_note: str = ""
    example: str = ""
    """For the file's example, where the default is no value."""
    many: bool = False
    """May be given several times; an array in the file."""
    integer: bool = False
    """An integer in the file; the others are strings."""
    environment: str | None = None
    path: Callable[[str], bool] = lambda _text: False
    """Whether this text names a file, which in the file is relative to the file."""


def _network(text: str) -> params.Params:
    try:
        return params.load(text)
    except LocalError as error:
        raise ValueError(error.message) from None


def _folder(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError("it must be a path")
    return Path(text).absolute()


def _constant(text: str) -> Callable[[params.Params], str]:
    return lambda _params: text


OPTIONS: Final = (
    Option(
        name="network", metavar="NAME|FILE.json", parse=_network, default=_constant("mesh"),
        environment="MESH_NETWORK", path=lambda text: text.endswith(".json"),
        help="The network to join: mesh, test, dev (local, blocks at once), or a file with a network of one's own.",
    ),
    Option(
        name="datadir", metavar="DIR", parse=_folder, default_note="the platform's folder for user data",
        example="/var/lib/meshchain", environment="MESH_DATADIR", path=lambda _text: True,
        help="Where the node keeps its data; each network has a folder of its own in it.",
    ),
    Option(
        name="rpc", metavar="HOST:PORT", parse=values.listen_address,
        default=lambda p: f"127.0.0.1:{p.ports.rpc}",
        help="Where JSON-RPC answers. Keep it on this machine: it is not encrypted.",
    ),
    Option(
        name="dns", metavar="HOST:PORT|off", parse=values.listen_address_or_off,
        default=lambda p: f"127.0.0.1:{p.ports.dns}",
        help="Where the DNS server for .mesh answers, UDP and TCP.",
    ),
    Option(
        name="dns-forward", metavar="HOST[:PORT]", parse=values.resolver_address, many=True,
        default_note="none: questions about other names are refused", example="9.9.9.9",
        help="A DNS server that is asked about names outside .mesh.",
    ),
    Option(
        name="p2p", metavar="HOST:PORT|off", parse=values.listen_address_or_off,
        default=lambda p: f"[::]:{p.ports.gossip}",
        help="Where peers that exchange the ledger may connect.",
    ),
    Option(
        name="peer", metavar="HOST:PORT", parse=values.peer_address, many=True,
        default_note="none: peers are found on the links", example="node.example:9337",
        help="A peer to exchange the ledger with.",
    ),
    Option(
        name="link", metavar="SPEC", parse=parse_link, many=True,
        default_note="udp on every interface that is up", example="udp:eth0",
        help="A link of the mesh: udp:IFACE[:PORT] (broadcast), udp:HOST:PORT (one peer), udp-listen:HOST:PORT,"
        " ethernet:IFACE, tcp:HOST:PORT, tcp-listen:HOST:PORT, or none.",
    ),
    Option(
        name="tun", metavar="NAME|off", parse=values.tun_or_off, default=_constant("mesh0"),
        help="The TUN device by which ordinary programs reach the mesh.",
    ),
    Option(
        name="zone", metavar="N", parse=values.zone_number, default=_constant("0"), integer=True,
        help="The routing zone of this node, 0 to 65535.",
    ),
    Option(
        name="mine", metavar="auto|off", parse=values.auto_or_off, default=_constant("auto"),
        help="Make blocks, at low priority and a small share of the time, more while own operations wait.",
    ),
    Option(
        name="socks", metavar="HOST:PORT|off", parse=values.listen_address_or_off, default=_constant("off"),
        example="127.0.0.1:1080", help="A SOCKS5 server for programs that cannot use the TUN device.",
    ),
    Option(
        name="proxy", metavar="HOST:PORT|off", parse=values.listen_address_or_off, default=_constant("off"),
        example="127.0.0.1:8336", help="An HTTPS proxy that checks certificates against the ledger.",
    ),
)  # fmt: skip

BY_NAME: Final = {option.name: option for option in OPTIONS}
