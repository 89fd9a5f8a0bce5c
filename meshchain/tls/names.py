"""Which names a certificate is for (RFC 9525), and which an authority may speak for (RFC 5280 §4.2.1.10).

Only subjectAltName counts: the common name is text for people. A wildcard stands for one whole label, the leftmost.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from meshchain.tls.certificates import Certificate

_MOST: Final = 1000
"""Names of one certificate that are looked at."""
_MOST_COMPARED: Final = 20_000
"""Names times constraints of one certificate under one authority; more is refused."""


def alternative_names(certificate: Certificate) -> list[x509.GeneralName]:
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except x509.ExtensionNotFound:
        return []
    return list(found.value) if isinstance(found.value, x509.SubjectAlternativeName) else []


def is_for(certificate: Certificate, host: str) -> bool:
    """``host``: a name in ASCII (A-labels), with or without the last dot, or an IP address."""
    names = alternative_names(certificate)[:_MOST]
    try:
        address = ip_address(host)
    except ValueError:
        wanted = canonical(host)
        return any(isinstance(n, x509.DNSName) and covers(canonical(n.value), wanted) for n in names)
    return any(isinstance(name, x509.IPAddress) and name.value == address for name in names)


def canonical(name: str) -> str:
    return name.lower().removesuffix(".")


def covers(pattern: str, name: str) -> bool:
    """Both canonical. ``*.alice.mesh`` covers ``www.alice.mesh``; ``w*.alice.mesh`` covers nothing."""
    if not name or not pattern.isascii() or not name.isascii():
        return False
    if "*" not in pattern:
        return pattern == name
    star, _, rest = pattern.partition(".")
    first, _, parent = name.partition(".")
    return star == "*" and "." in rest and "*" not in rest and bool(first) and rest == parent


def permitted(certificate: Certificate, constraints: x509.NameConstraints) -> bool:
    """Whether the authority with these constraints may speak for every name of the certificate.

    DNS names and addresses are compared; a constraint on any other kind of name that the certificate has, the
    subject among them, refuses it: RFC 5280 leaves nothing else to those who cannot compare them.
    """
    names = alternative_names(certificate)
    allowed = list(constraints.permitted_subtrees or ())
    excluded = list(constraints.excluded_subtrees or ())
    if len(names) * (len(allowed) + len(excluded)) > _MOST_COMPARED:
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
