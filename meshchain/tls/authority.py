"""The certificate authority of this computer: browsers trust it for .mesh and nothing else.

A root, and under it an issuing authority that signs leaves of a day. Both carry the critical constraint that they may
speak for .mesh only and for no IP address; browsers check it on either, and where a program ignores constraints on a
root it checks those of the issuing one. The root's key is thrown away as soon as it has signed: what lies on the disk
cannot make another authority. Every node makes its own pair, so nobody else's computer can sign for this one.
"""

import os
import ssl
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from meshchain.files import write_whole
from meshchain.ledger.errors import LocalError
from meshchain.tls import issue

FOLDER: Final = "tls"
ROOT: Final = "authority.crt"
_ISSUING: Final = "issuing.crt"
_KEY: Final = "issuing.key"
ZONE: Final = "mesh"
LIFETIME: Final = timedelta(days=3650)
LEAF_LIFETIME: Final = timedelta(days=1)
_MOST: Final = 256
"""Hosts whose leaf is remembered, some 50 kB of OpenSSL context each."""


@dataclass(slots=True)
class Authority:
    root: x509.Certificate
    issuing: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    _leaf_key: ec.EllipticCurvePrivateKey = field(default_factory=issue.new_key)
    _contexts: dict[str, tuple[datetime, ssl.SSLContext]] = field(default_factory=dict)

    def context(self, host: str, now: datetime) -> ssl.SSLContext:
        """For the server's side towards a browser; a leaf is made anew when half its life is over."""
        made, context = self._contexts.get(host, (None, None))
        if made is None or context is None or now - made > LEAF_LIFETIME / 2:
            context = _context(self.chain(host, now))
            while len(self._contexts) >= _MOST:
                del self._contexts[next(iter(self._contexts))]
            self._contexts[host] = now, context
        return context

    def chain(self, host: str, now: datetime) -> bytes:
        """PEM: the leaf's key, the leaf, the issuing authority."""
        leaf = issue.server_certificate(
            [host],
            self._leaf_key,
            issuer=self.issuing.subject,
            signer=self.key,
            now=now,
            lifetime=LEAF_LIFETIME,
        )
        return b"".join((issue.key_pem(self._leaf_key), _pem(leaf), _pem(self.issuing)))

    @property
    def root_pem(self) -> bytes:
        return _pem(self.root)


def load_or_create(datadir: Path, now: datetime) -> Authority:
    """The authority in ``datadir``; LocalError "tls-authority" for files that cannot be used."""
    folder = datadir / FOLDER
    try:
        if not (folder / ROOT).exists():
            _create(folder, now)
        return _load(folder)
    except (OSError, ValueError, TypeError) as error:
        raise LocalError("tls-authority", f"cannot use the certificate authority in {folder}: {error}") from None


def create(now: datetime, unique: str) -> Authority:
    """``unique``: a word that tells this computer's authority from others'."""
    root_key, key = issue.new_key(), issue.new_key()
    name = issue.common_name(f"meshchain .mesh only, this computer {unique}")
    root = _authority(name, name, root_key.public_key(), root_key, now, path_length=1)
    below = issue.common_name(f"meshchain .mesh issuing {unique}")
    return Authority(root, _authority(below, name, key.public_key(), root_key, now, path_length=0), key)


def _authority(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    path_length: int,
) -> x509.Certificate:
    return (
        issue.begun(subject, issuer, key, now=now, lifetime=LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(issue.key_usage(authority=True), critical=True)
        .add_extension(_constraints(), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, SHA256())
    )


def _constraints() -> x509.NameConstraints:
    everything = [x509.IPAddress(ip_network(net)) for net in ("0.0.0.0/0", "::/0")]
    return x509.NameConstraints([x509.DNSName(ZONE)], everything)


def _create(folder: Path, now: datetime) -> None:
    """The root last: where it stands, all of it stands."""
    made = create(now, os.urandom(4).hex())
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / _KEY, issue.key_pem(made.key), 0o600)
    write_whole(folder / _ISSUING, _pem(made.issuing), 0o644)
    write_whole(folder / ROOT, made.root_pem, 0o644)


def _load(folder: Path) -> Authority:
    key = load_pem_private_key((folder / _KEY).read_bytes(), None)
    root, issuing = (x509.load_pem_x509_certificate((folder / name).read_bytes()) for name in (ROOT, _ISSUING))
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != issuing.public_key():
        raise ValueError("key and certificate do not belong together")
    return Authority(root, issuing, key)


def _context(pem: bytes) -> ssl.SSLContext:
    """Python takes chains from files only; this one is private and gone at once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
