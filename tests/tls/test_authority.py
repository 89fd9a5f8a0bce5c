"""The local authority: what it signs is good for .mesh, here and in openssl, and for nothing else."""

import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from meshchain.ledger.errors import LocalError
from meshchain.tls import authority, issue
from meshchain.tls.authority import Authority, load_or_create
from meshchain.tls.tlsa import Tlsa
from meshchain.tls.verify import check_chain

NOW = datetime.now(UTC)


def leaf_and_rest(made: Authority, host: str) -> list[bytes]:
    found = x509.load_pem_x509_certificates(made.chain(host, NOW).partition(b"-----BEGIN CERTIFICATE")[2].join(
        (b"-----BEGIN CERTIFICATE", b"")))  # fmt: skip
    return [certificate.public_bytes(Encoding.DER) for certificate in found]


@pytest.mark.parametrize(("host", "fits"), [("alice.mesh", True), ("a.b.mesh", True), ("evil.com", False),
                                            ("meshmesh", False), ("a.xmesh", False)])  # fmt: skip
def test_only_mesh(host: str, fits: bool, tmp_path: Path) -> None:
    made = authority.create(NOW, "test")
    chain = [*leaf_and_rest(made, host), made.root.public_bytes(Encoding.DER)]
    root = Tlsa(2, 0, 0, chain[-1])
    assert check_chain(chain, [root], host=host, now=NOW).reason == ("ok" if fits else "untrusted")
    assert by_openssl(tmp_path, made, host) == fits


def by_openssl(folder: Path, made: Authority, host: str) -> bool:
    (folder / "root.pem").write_bytes(made.root_pem)
    (folder / "chain.pem").write_bytes(made.chain(host, NOW))
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", host, "-CAfile"]
    ended = subprocess.run(
        [*command, folder / "root.pem", "-untrusted", folder / "chain.pem", folder / "chain.pem"],
        capture_output=True,
        check=False,
    )
    return ended.returncode == 0


def test_leaves_are_short_lived_and_p256() -> None:
    made = authority.create(NOW, "test")
    leaf = x509.load_der_x509_certificate(leaf_and_rest(made, "alice.mesh")[0])
    key = leaf.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=1) + issue.SKEW


def test_kept_and_private(tmp_path: Path) -> None:
    first, again = load_or_create(tmp_path, NOW), load_or_create(tmp_path, NOW)
    assert first.root == again.root
    assert (tmp_path / "tls" / "issuing.key").stat().st_mode & 0o777 == 0o600
    keys = [file.name for file in (tmp_path / "tls").iterdir() if b"PRIVATE" in file.read_bytes()]
    assert keys == ["issuing.key"]
    assert load_or_create(tmp_path / "other", NOW).root.subject != first.root.subject


@pytest.mark.parametrize("file", ["authority.crt", "issuing.crt", "issuing.key"])
def test_spoiled_files(tmp_path: Path, file: str) -> None:
    load_or_create(tmp_path, NOW)
    (tmp_path / "tls" / file).write_text("spoiled")
    with pytest.raises(LocalError) as caught:
        load_or_create(tmp_path, NOW)
    assert caught.value.code == "tls-authority"


def test_contexts_are_remembered_for_half_a_life() -> None:
    made = authority.create(NOW, "test")
    first = made.context("alice.mesh", NOW)
    assert isinstance(first, ssl.SSLContext)
    assert made.context("alice.mesh", NOW + timedelta(hours=11)) is first
    assert made.context("alice.mesh", NOW + timedelta(hours=13)) is not first
