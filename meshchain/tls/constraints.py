"""Which names an authority may speak for (RFC 5280 §4.2.1.10)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from cryptography import x509

from meshchain.tls.certificates import Certificate
from meshchain.tls.names import alternative_names, canonical

BUDGET: Final = 20_000
"""Names times constraints that are compared in one walk, 25 ms; what would take more is refused. 100 KB of chain, as
much as OpenSSL takes in, have room for 100 times that, and for half a minute's worth of ways to put them together."""


@dataclass(slots=True)
class Permissions:
    """Of one walk: it meets the same two certificates in many paths, and each pair is compared once."""

    left: int = BUDGET
    _known: dict[tuple[Certificate, Certificate], bool] = field(default_factory=dict)

    def hold(self, path: Sequence[Certificate]) -> bool:
        """Whether every authority may speak for all that stands below it."""
        pairs = ((authority, below) for depth, authority in enumerate(path) for below in path[:depth])
        return all(self._permits(*pair) for pair in pairs)

    def _permits(self, authority: Certificate, below: Certificate) -> bool:
        constraints = authority.extension(x509.NameConstraints)
        if constraints is None:
            return True
        pair = authority, below
        if pair not in self._known:
            self._known[pair] = self._permitted(below, constraints)
        return self._known[pair]

    def _permitted(self, certificate: Certificate, constraints: x509.NameConstraints) -> bool:
        """DNS names and addresses are compared; a constraint on any other kind of name that the certificate has, the
        subject among them, refuses it: RFC 5280 leaves nothing else to those who cannot compare them."""
        names = alternative_names(certificate)
        allowed = list(constraints.permitted_subtrees or ())
        excluded = list(constraints.excluded_subtrees or ())
        self.left -= len(names) * (len(allowed) + len(excluded))
        if self.left < 0:
            return False
        if list(certificate.parsed.subject):
            names.append(x509.DirectoryName(certificate.parsed.subject))
        return all(_name_permitted(name, allowed, excluded) for name in names)


def _name_permitted(name: x509.GeneralName, allowed: Iterable[object], excluded: Iterable[object]) -> bool:
    own = [tree for tree in allowed if type(tree) is type(name)]
    against = [tree for tree in excluded if type(tree) is type(name)]
    if not isinstance(name, x509.DNSName | x509.IPAddress):
        return not own and not against
    if any(_within(name, tree) or _may_reach(name, tree) for tree in against):
        return False
    return not own or any(_within(name, tree) for tree in own)


def _within(name: x509.GeneralName, tree: object) -> bool:
    if isinstance(name, x509.DNSName) and isinstance(tree, x509.DNSName):
        base, value = canonical(tree.value).removeprefix("."), canonical(name.value)
        return not base or value == base or value.endswith(f".{base}")
    if isinstance(name, x509.IPAddress) and isinstance(tree, x509.IPAddress):
        return isinstance(tree.value, IPv4Network | IPv6Network) and name.value in tree.value
    return False


def _may_reach(name: x509.GeneralName, tree: object) -> bool:
    """A wildcard that also stands for a name in the tree: ``*.mesh`` where ``bob.mesh`` is excluded."""
    if not isinstance(name, x509.DNSName) or not isinstance(tree, x509.DNSName):
        return False
    star, _, parent = canonical(name.value).partition(".")
    return star == "*" and canonical(tree.value).removeprefix(".").endswith(f".{parent}")
