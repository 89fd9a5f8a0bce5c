"""What people call a node, found in the ledger: ``alice``, ``phone.alice.mesh``, ``eeee::1``, a derived address."""

from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final

from meshchain.crypto.address import CLAIM_PREFIX, PREFIX, node_address
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.entry import NameEntry
from meshchain.ledger.errors import RuleError
from meshchain.ledger.names import check_name
from meshchain.ledger.record import hosts
from meshchain.mesh.bindings import holder_of

SUFFIX: Final = ".mesh"
_MOST: Final = 253
"""Characters of a domain name (RFC 1035 §2.3.4)."""


class NoTarget(Exception):  # noqa: N818 - an answer, not a fault
    """``code``: not-mesh or a rule of names (wrong text); name-not-found, host-not-found, address-not-found."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def is_absent(self) -> bool:
        """The text is well-formed, but there is no such thing."""
        return self.code.endswith("-not-found")


@dataclass(frozen=True, slots=True)
class Target:
    """``address``: 16 bytes. ``key``: None where only the address is known: a derived one of a stranger."""

    address: bytes
    key: bytes | None
    name: str | None = None
    """As DNS would have it, without .mesh: ``phone.alice``."""
    zone: int | None = None


def is_address(text: str) -> bool:
    return ":" in text


def find(view: ChainView, text: str) -> Target:
    """NoTarget where the ledger has none."""
    return _by_address(view, text) if is_address(text) else _by_name(view, text)


def _by_address(view: ChainView, text: str) -> Target:
    try:
        address = IPv6Address(text).packed
    except ValueError:
        raise NoTarget("bad-address", f"{text!r} is no IPv6 address") from None
    if not address.startswith(PREFIX):
        raise NoTarget("not-mesh", f"{text} is no address of the mesh: those begin with eeee:")
    if not address.startswith(CLAIM_PREFIX):
        return Target(address, None)
    key = holder_of(view, address)
    if key is None:
        raise NoTarget("address-not-found", f"nobody holds the address {IPv6Address(address)}")
    return Target(address, key, view.state.holder(address))


def _by_name(view: ChainView, text: str) -> Target:
    whole = text.lower().removesuffix(".").removesuffix(SUFFIX)
    label, _, name = whole.rpartition(".")
    try:
        check_name(name)
    except RuleError as error:
        raise NoTarget(error.code, f"{text[:_MOST]!r} is no name: {error.message}") from None
    entry = view.entry(name)
    if entry is None or entry.revoked:
        raise NoTarget("name-not-found", f"{name}.mesh is {'revoked' if entry else 'not registered'}")
    return _host(entry, name, label)


def _host(entry: NameEntry, name: str, label: str) -> Target:
    """The claimed address for the name itself, if it has one; else the key's own."""
    for host in hosts(entry.record):
        key, zone = host["key"], host["zone"]
        if host["label"] == label and isinstance(key, bytes):
            address = (entry.address if not label else None) or node_address(key)
            if address is not None:
                return Target(address, key, f"{label}.{name}" if label else name, zone if type(zone) is int else None)
    what = f"no host {label!r}" if label else "no host of its own"
    raise NoTarget("host-not-found", f"{name}.mesh has {what}: `meshctl show {name}` lists what it has")
