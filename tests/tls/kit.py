"""Chains made by the tests: every key is generated once a session, every certificate when asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256, sha512

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from meshchain.tls.tlsa import Tlsa

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOST = "alice.mesh"
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@cache
def key(name: str) -> Key:
    """The same for the same name; ``ed…`` and ``rsa…`` are of that kind, others P-256."""
    if name.startswith("ed"):
        return ed25519.Ed25519PrivateKey.generate()
    if name.startswith("rsa"):
        return rsa.generate_private_key(65537, int(name.removeprefix("rsa")))
    return ec.generate_private_key(ec.SECP256R1())


def spki(name: str) -> bytes:
    return key(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_pem(name: str) -> bytes:
    return key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True)
class Cert:
    """What a test says of a certificate; the rest is as a sound server would have it."""

    who: str = "leaf"
    """Also the name of its key, but for ``keyed``."""
    by: str = "leaf"
    names: tuple[str, ...] = ()
    ca: bool = False
    days: tuple[int, int] = (-1, 1)
    """From and until, seen from NOW."""
    path_length: int | None = None
    permitted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    purposes: tuple[x509.ObjectIdentifier, ...] = ()
    signs_certificates: bool | None = None
    """None: no key usage."""
    more: tuple[x509.UnrecognizedExtension, ...] = ()
    signer: str = ""
    """Whose key signs, if not that of ``by``."""
    at: datetime = NOW
    keyed: str = ""

    @property
    def der(self) -> bytes:
        return made(self)

    @property
    def pem(self) -> bytes:
        return x509.load_der_x509_certificate(self.der).public_bytes(Encoding.PEM)


@cache
def made(cert: Cert) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(cert.who))
        .issuer_name(_name(cert.by))
        .public_key(key(cert.keyed or cert.who).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(cert.at + cert.days[0] * DAY)
        .not_valid_after(cert.at + cert.days[1] * DAY)
    )
    for extension, critical in _extensions(cert):
        builder = builder.add_extension(extension, critical)
    signer = key(cert.signer or cert.by)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else SHA256()
    return builder.sign(signer, algorithm).public_bytes(Encoding.DER)


def _name(who: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who)])


def _extensions(cert: Cert) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = [(e, True) for e in cert.more]
    if cert.ca:
        found.append((x509.BasicConstraints(True, cert.path_length), True))
    if cert.names:
        found.append((x509.SubjectAlternativeName([x509.DNSName(n) for n in cert.names]), False))
    if cert.permitted or cert.excluded:
        found.append((x509.NameConstraints(_trees(cert.permitted), _trees(cert.excluded)), True))
    if cert.purposes:
        found.append((x509.ExtendedKeyUsage(cert.purposes), False))
    if cert.signs_certificates is not None:
        found.append((_usage(certificates=cert.signs_certificates), True))
    return found


def _trees(names: Sequence[str]) -> list[x509.DNSName] | None:
    return [x509.DNSName(name) for name in names] or None


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(not certificates, False, False, False, False, certificates, False, False, False)


ROOT = Cert("root", "root", ca=True, days=(-100, 100))
INTER = Cert("inter", "root", ca=True, days=(-50, 50))
LEAF = Cert("leaf", "inter", names=(HOST,))
ALONE = Cert("leaf", "leaf", names=(HOST,))
CLIENT_ONLY = (ExtendedKeyUsageOID.CLIENT_AUTH,)


def record(usage: int, selector: int, matching_type: int, cert: Cert) -> Tlsa:
    """A record that means ``cert``."""
    data = spki(cert.who) if selector else cert.der
    selected = {0: data, 1: sha256(data).digest(), 2: sha512(data).digest()}
    return Tlsa(usage, selector, matching_type, selected[matching_type])
