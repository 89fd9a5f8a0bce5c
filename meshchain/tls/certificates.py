"""A certificate as the rules need it: read once, nothing in it can raise afterwards."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.hashes import MD5, SHA1
from cryptography.hazmat.primitives.serialization import load_der_public_key

from meshchain.tls.der import DerError, public_key_of

MAX_SIZE: Final = 1 << 16
"""Bytes of one certificate; those of the public authorities have 1 to 3 KB."""
_LEAST_RSA: Final = 2048
"""Bits; so do TLS libraries at security level 2 (112 bits)."""
_BROKEN: Final = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension,
                  x509.UnsupportedGeneralNameType)  # fmt: skip
"""What ``cryptography`` raises for what it cannot read, often only when a part is asked for."""

T = TypeVar("T", bound=x509.ExtensionType)

_quieting: Final = threading.Lock()


@contextmanager
def _quiet() -> Iterator[None]:
    """``cryptography`` warns of certificates that a later version will refuse: strangers must not fill our stderr.

    The filters of warnings are one for all threads; the lock keeps two of these from restoring each other's.
    """
    with _quieting, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    der: bytes
    parsed: x509.Certificate
    spki: bytes
    """SubjectPublicKeyInfo as sent, not encoded anew: digests are over these bytes."""
    not_before: datetime
    not_after: datetime
    extensions: x509.Extensions

    @classmethod
    def read(cls, der: bytes) -> "Certificate | None":
        """None for anything that is no certificate."""
        if len(der) > MAX_SIZE:
            return None
        with _quiet():
            return cls._read(der)

    @classmethod
    def _read(cls, der: bytes) -> "Certificate | None":
        try:
            parsed = x509.load_der_x509_certificate(der)
            names = parsed.subject, parsed.issuer, parsed.version
            dates = parsed.not_valid_before_utc, parsed.not_valid_after_utc
            spki = public_key_of(parsed.tbs_certificate_bytes)
            return cls(der, parsed, spki, *dates, parsed.extensions) if names else None
        except (*_BROKEN, DerError):
            return None

    @property
    def self_signed(self) -> bool:
        return self.parsed.subject == self.parsed.issuer and signed_by(self, self)

    def extension(self, kind: type[T]) -> T | None:
        return next((e.value for e in self.extensions if isinstance(e.value, kind)), None)

    def valid_at(self, now: datetime) -> bool:
        return self.not_before <= now <= self.not_after


def is_public_key(der: bytes) -> bool:
    """Whether it is a SubjectPublicKeyInfo that can be used."""
    try:
        with _quiet():
            load_der_public_key(der)
    except (*_BROKEN, DerError):
        return False
    return True


def signed_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Names fit and the signature verifies, made with nothing weaker than SHA-224 and RSA-2048."""
    return certificate.parsed.issuer == issuer.parsed.subject and signed_by_key(certificate, issuer.spki)


def signed_by_key(certificate: Certificate, spki: bytes) -> bool:
    """Likewise for a key alone."""
    try:
        with _quiet():
            return _verify(certificate.parsed, spki)
    except (*_BROKEN, InvalidSignature):
        return False


def _verify(certificate: x509.Certificate, spki: bytes) -> bool:
    key = load_der_public_key(spki)
    if isinstance(certificate.signature_hash_algorithm, MD5 | SHA1):
        return False
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < _LEAST_RSA:
            return False
        return _verify_rsa(certificate, key)
    return _verify_other(certificate, key)


def _verify_rsa(certificate: x509.Certificate, key: rsa.RSAPublicKey) -> bool:
    padding, algorithm = certificate.signature_algorithm_parameters, certificate.signature_hash_algorithm
    if algorithm is None or padding is None or isinstance(padding, ec.ECDSA):
        return False
    key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding, algorithm)
    return True


def _verify_other(certificate: x509.Certificate, key: object) -> bool:
    """ECDSA, Ed25519, Ed448; DSA is no longer in use anywhere."""
    raw, signature = certificate.tbs_certificate_bytes, certificate.signature
    if isinstance(key, ec.EllipticCurvePublicKey):
        parameters = certificate.signature_algorithm_parameters
        if not isinstance(parameters, ec.ECDSA):
            return False
        key.verify(signature, raw, parameters)
        return True
    if isinstance(key, dsa.DSAPublicKey) or not hasattr(key, "verify"):
        return False
    key.verify(signature, raw)
    return True
