"""Whether a TLSA record means a certificate (RFC 6698 §2.1.2–2.1.4)."""

import hmac
from hashlib import sha256, sha512

from meshchain.tls import tlsa
from meshchain.tls.certificates import Certificate
from meshchain.tls.tlsa import Tlsa


def means(record: Tlsa, certificate: Certificate) -> bool:
    return means_bytes(record, certificate.spki if record.selector == tlsa.SPKI else certificate.der)


def means_raw_key(record: Tlsa, spki: bytes) -> bool:
    """A raw public key (RFC 7250) is only meant by usage 3 with selector 1 (RFC 7671 §5.1)."""
    return record.usage == tlsa.DANE_EE and record.selector == tlsa.SPKI and means_bytes(record, spki)


def means_bytes(record: Tlsa, selected: bytes) -> bool:
    """``selected``: what the selector takes; the record is usable."""
    if record.matching_type == tlsa.SHA256:
        selected = sha256(selected).digest()
    elif record.matching_type == tlsa.SHA512:
        selected = sha512(selected).digest()
    return hmac.compare_digest(record.data, selected)
