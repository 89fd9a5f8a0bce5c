"""Which names a certificate is for (RFC 9525).

Only subjectAltName counts: the common name is text for people. A wildcard stands for one whole label, the leftmost.
"""

from ipaddress import ip_address
from typing import Final

from cryptography import x509

from meshchain.tls.certificates import Certificate

LABEL: Final = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
"""Pattern of one label of a host name in lower case."""
_MOST: Final = 1000
"""Names of one certificate that are looked at."""


def alternative_names(certificate: Certificate) -> list[x509.GeneralName]:
    found = certificate.extension(x509.SubjectAlternativeName)
    return [] if found is None else list(found)


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
