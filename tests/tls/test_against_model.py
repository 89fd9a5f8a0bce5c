"""Random servers and records: the implementation beside the model; and anything at all in the place of either."""

from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from meshchain.tls import tlsa
from meshchain.tls.verify import Tlsa, check_chain
from tests.tls import model
from tests.tls.kit import ALONE, HOST, INTER, LEAF, NOW, ROOT, Cert, spki
from tests.tls.model import Meaning, Server

OTHER = Cert("other", "other", ca=True)
REASONS = {"ok", "no-usable-records", "no-match", "expired", "name-mismatch", "untrusted", "malformed"}


@st.composite
def servers(draw: st.DrawFn) -> Server:
    expired = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    line = [replace(c, days=(-9, -1)) if old else c for c, old in zip((LEAF, INTER, ROOT), expired, strict=True)]
    named = draw(st.booleans())
    leaf = line[0] if named else replace(line[0], names=("bob.mesh",))
    return Server((leaf, line[1], line[2]), draw(st.tuples(st.booleans(), st.booleans())), expired, named)


MEANINGS = st.builds(
    Meaning,
    st.sampled_from([0, 1, 2, 2, 2, 3]),
    st.sampled_from([0, 1]),
    st.sampled_from([0, 1, 2]),
    st.sampled_from([None, 0, 1, 2]),
)
JUNK = st.binary(max_size=80) | st.sampled_from([LEAF.der, INTER.der, ROOT.der, spki("leaf"), spki("root")])
RECORDS = st.builds(Tlsa, st.integers(0, 255) | st.integers(0, 3), st.integers(0, 2), st.integers(0, 3), JUNK)


@settings(max_examples=300, deadline=None)
@given(servers(), st.lists(MEANINGS, max_size=4), st.booleans())
def test_as_the_model_says(server: Server, meanings: list[Meaning], name_check: bool) -> None:
    found = check_chain(
        [cert.der for cert in server.chain],
        [meaning.record(server, OTHER) for meaning in meanings],
        host=HOST,
        now=NOW,
        name_check=name_check,
    )
    assert found.reason == model.verdict(server, meanings, name_check=name_check)
    assert found.ok == (found.reason == "ok")


@settings(max_examples=150, deadline=None)
@given(st.lists(JUNK, max_size=4), st.lists(RECORDS, max_size=4), st.text(max_size=20) | st.none(), st.lists(JUNK))
def test_nothing_raises(chain: list[bytes], records: list[Tlsa], host: str | None, roots: list[bytes]) -> None:
    verdict = check_chain(chain, records, host=host, now=NOW, trust_anchors=roots)
    assert verdict.reason in REASONS
    assert verdict.ok == (verdict.reason == "ok")
    assert verdict.matched is None or verdict.matched in records


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([LEAF, INTER]), st.data())
def test_spoiled_certificates(which: Cert, data: st.DataObject) -> None:
    """Any byte changed: nothing raises, and no chain with a changed certificate is worth more than before."""
    at = data.draw(st.integers(0, len(which.der) - 1))
    spoiled = bytearray(which.der)
    spoiled[at] ^= data.draw(st.integers(1, 255))
    chain = [bytes(spoiled) if cert is which else cert.der for cert in (LEAF, INTER, ROOT)]
    records = [Tlsa(2, 0, 0, ROOT.der)]
    assert not check_chain(chain, records, host=HOST, now=NOW).ok


def test_a_certificate_that_the_library_warns_of() -> None:
    """A negative serial, made by hand: warnings are errors in these tests."""
    serial = x509.load_der_x509_certificate(ALONE.der).serial_number
    digits = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    odd = ALONE.der.replace(digits, bytes((digits[0] ^ 0x80,)) + digits[1:], 1)
    with pytest.warns(Warning, match="serial"):
        x509.load_der_x509_certificate(odd)
    assert check_chain([odd], [Tlsa(3, 1, 1, sha256(spki("leaf")).digest())], host=HOST, now=NOW).ok


@given(RECORDS)
def test_text_and_back(record: Tlsa) -> None:
    if record.data:
        assert tlsa.parse(str(record)) == record
