"""From a leaf to something trusted: RFC 5280 §6, started at whatever TLSA records made an anchor.

Theory of operation
-------------------
A path is the leaf, its issuer, that one's issuer, and so on, by name and signature. The walk goes depth first through
the certificates at hand and tries what was sent before what the ledger added. Wherever the path so far ends in an
anchor, it is judged: the dates and extensions of every certificate, anchors included (RFC 7671 §5.2 asks for their
dates too), constraints of an authority against everything below it, and last the name of the leaf. A path that
passes ends the walk. One that fails leaves its reason, and the walk goes on, since another may pass (a cross-signed
authority, a renewed one). Of all reasons the one that came nearest to success is told.

Three things are anchors: a certificate that a record means, a certificate among the roots given, and a bare key that
signed the last certificate of the path ("2 1 0").

Signatures cost 0.1 ms each, and whoever sends certificates chooses how many fit each other by name; so a walk verifies
at most BUDGET of them, and a path has at most MOST certificates. Constraints have a budget of their own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from meshchain.tls import names
from meshchain.tls.certificates import Certificate, signed_by, signed_by_key
from meshchain.tls.constraints import Permissions

MOST: Final = 10
BUDGET: Final = 64

_UNDERSTOOD: Final = frozenset((
    ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME, ExtensionOID.NAME_CONSTRAINTS, ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.CERTIFICATE_POLICIES,
))  # fmt: skip
"""What may be critical: it is obeyed here, or says nothing about validity."""


class Flaw(IntEnum):
    """What ended a path; the higher, the nearer it came."""

    UNTRUSTED = 0
    EXPIRED = 1
    NAME = 2
    NONE = 3


@dataclass(frozen=True, slots=True)
class Anchors:
    """``ends``: whether the last certificate of a path is an anchor; ``keys``: bare keys."""

    ends: Callable[[Sequence[Certificate]], bool]
    keys: Sequence[bytes] = ()


@dataclass(slots=True)
class Search:
    """One walk; ``host`` None: no name is checked."""

    pool: Sequence[Certificate]
    anchors: Anchors
    host: str | None
    now: datetime
    left: int = BUDGET
    permissions: Permissions = field(default_factory=Permissions)
    flaw: Flaw = field(default=Flaw.UNTRUSTED)

    def run(self, leaf: Certificate) -> tuple[Certificate, ...] | None:
        """A path that passes, or None and ``flaw`` says why not."""
        for path in self._paths((leaf,)):
            flaw = self._judge(path)
            self.flaw = max(self.flaw, flaw)
            if flaw is Flaw.NONE:
                return path
        return None

    def _paths(self, path: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
        last = path[-1]
        if self.anchors.ends(path) or any(self._by_key(last, key) for key in self.anchors.keys):
            yield path
        if len(path) < MOST:
            for issuer in self.pool:
                if issuer not in path and self._issued(last, issuer):
                    yield from self._paths((*path, issuer))

    def _judge(self, path: Sequence[Certificate]) -> Flaw:
        """What is wrong with a path whose signatures hold."""
        if not _structure_holds(path) or not self.permissions.hold(path):
            return Flaw.UNTRUSTED
        if not all(certificate.valid_at(self.now) for certificate in path):
            return Flaw.EXPIRED
        return Flaw.NONE if self.host is None or names.is_for(path[0], self.host) else Flaw.NAME

    def _issued(self, certificate: Certificate, issuer: Certificate) -> bool:
        fits = certificate.parsed.issuer == issuer.parsed.subject
        return fits and self._spend() and signed_by(certificate, issuer)

    def _by_key(self, certificate: Certificate, key: bytes) -> bool:
        return self._spend() and signed_by_key(certificate, key)

    def _spend(self) -> bool:
        self.left -= 1
        return self.left >= 0


def _structure_holds(path: Sequence[Certificate]) -> bool:
    known = all(e.oid in _UNDERSTOOD for c in path for e in c.extensions if e.critical)
    issuers = all(_may_issue(c, path[1:depth]) for depth, c in enumerate(path) if depth)
    return known and _may_serve(path[0]) and issuers


def _may_serve(leaf: Certificate) -> bool:
    usage = leaf.extension(x509.KeyUsage)
    fit = usage is None or usage.digital_signature or usage.key_encipherment or usage.key_agreement
    return fit and _for_servers(leaf)


def _for_servers(certificate: Certificate) -> bool:
    purposes = certificate.extension(x509.ExtendedKeyUsage)
    return purposes is None or bool(
        {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(purposes)
    )


def _may_issue(certificate: Certificate, between: Sequence[Certificate]) -> bool:
    """``between``: the authorities from it to the leaf; those that issued themselves do not count (RFC 5280 §6.1.4)."""
    basic = certificate.extension(x509.BasicConstraints)
    length = sum(c.parsed.subject != c.parsed.issuer for c in between)
    if basic is None or not basic.ca or (basic.path_length is not None and basic.path_length < length):
        return False
    usage = certificate.extension(x509.KeyUsage)
    return (usage is None or usage.key_cert_sign) and _for_servers(certificate)
