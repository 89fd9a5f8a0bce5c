"""Whatever a server and a name's owner send, there is a verdict; ``fuzz/fuzz_certificates.py`` tries many more."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from meshchain.tls.report import report
from meshchain.tls.verify import Reason, Tlsa, check_chain
from tests.tls import forge
from tests.tls.forge import Extension, Forged

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HOST = "alice.mesh"
INTER = Forged(forge.common_name("inter"), forge.common_name("root"), 2, 1, [forge.authority()])
LEAF = Forged(forge.common_name("leaf"), forge.common_name("inter"), 3, 2, [forge.for_names(HOST)])
KINDS = (forge.BASIC, forge.NAMES, forge.CONSTRAINTS, forge.USAGE, forge.PURPOSES, forge.POLICIES, forge.KEY_ID)
NUMBER = st.integers(0, 4)


def extended(kind: bytes, value: bytes, critical: bool) -> bytes:
    """A leaf with an extension of any content; the signature is sound."""
    name = LEAF.extensions if kind != forge.NAMES else ()
    return Forged(LEAF.subject, LEAF.issuer, 3, 2, [*name, Extension(kind, value, critical)]).encode()


def changed(at: int, byte: int, who: Forged) -> bytes:
    """One byte is another; the signature is sound."""
    tbs = bytearray(who.tbs())
    tbs[at % len(tbs)] = byte
    return forge.signed(bytes(tbs), who.signer)


CERTIFICATES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([LEAF.encode(), INTER.encode()]),
    st.builds(extended, st.sampled_from(KINDS), st.binary(max_size=40), st.booleans()),
    st.builds(changed, st.integers(0, 1000), st.integers(0, 255), st.sampled_from([LEAF, INTER])),
)
MEANT = [forge.public_key(2), forge.public_key(3), sha256(forge.public_key(2)).digest(), INTER.encode()]
RECORDS = st.builds(Tlsa, NUMBER, NUMBER, NUMBER, st.binary(max_size=70) | st.sampled_from(MEANT))


@given(st.lists(CERTIFICATES, max_size=4), st.lists(RECORDS, max_size=4), st.text(max_size=30) | st.just(HOST))
def test_a_verdict(chain: Sequence[bytes], records: Sequence[Tlsa], host: str) -> None:
    anchor = Tlsa(2, 1, 1, MEANT[2])
    for known in (records, [anchor, *records]):
        verdict = check_chain(chain, known, host=host, now=NOW, trust_anchors=chain[-1:])
        assert verdict.reason in get_args(Reason)
        assert verdict.ok == (verdict.reason == "ok")
        assert verdict.matched in (None, *known)
        assert report(chain, known, host=host, port=443, now=NOW).verdict.reason in get_args(Reason)


def test_the_sound_one_is_sound() -> None:
    """So that the changes above are to something."""
    chain = [LEAF.encode(), INTER.encode()]
    assert check_chain(chain, [Tlsa(2, 1, 1, MEANT[2])], host=HOST, now=NOW).depth == 1
