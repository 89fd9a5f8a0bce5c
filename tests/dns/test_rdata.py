"""Texts that are read without dnspython: the same as it reads."""

import string

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meshchain.dns.records import read_rdata
from meshchain.dns.types import TXT

CHARACTERS = string.ascii_letters[:4] + string.punctuation + string.digits[:2] + "   \t\n\x7fé"
"""What zone files give a meaning to, and some that they do not."""


def by_dnspython(text: str) -> tuple[int, bytes] | None:
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, "TXT", text, dns.name.root, relativize=False)
    except (dns.exception.DNSException, ValueError):
        return None
    return TXT, rdata.to_digestable(dns.name.root)


@given(st.text(CHARACTERS, max_size=12) | st.text(string.ascii_letters + " ", max_size=600))
@example("hello")
@example("v=spf1 -all")
@example("two  blanks")
@example("in the end ")
@example(" before")
@example('"quoted text" more')
@example("a;comment")
@example("(a b)")
@example("a\\098c")
@example("\\# 2 0141")
@example("\n")
@example("a\n")
@example("")
def test_txt(text: str) -> None:
    assert read_rdata("TXT", text) == by_dnspython(text)


@pytest.mark.parametrize(("size", "fits"), [(255, True), (256, False)])
def test_a_word_of_txt_has_255_bytes(size: int, fits: bool) -> None:
    assert (read_rdata("TXT", "x" * size) is not None) == fits
    assert read_rdata("TXT", "x" * size) == by_dnspython("x" * size)
