"""What the ledger's names answer, read by dnspython."""

from ipaddress import IPv6Address
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.reversename
import pytest

from meshchain.crypto.address import node_address
from meshchain.dns.engine import FORWARD, Engine
from meshchain.ledger.operations import Revoke, Transfer
from tests.dns.lab import ask, engine, lines
from tests.rpc.ledger_node import LedgerNode, small_network
from tests.rpc.people import ALICE, BOB, hosted, settle_alice, settle_bob


def answers(message: dns.message.Message) -> list[str]:
    return sorted(
        f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} {item}" for rrset in message.answer for item in rrset
    )


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("alice.mesh", "AAAA", ["alice.mesh. AAAA eeee::1"]),
        ("ALICE.Mesh", "TXT", ['ALICE.Mesh. TXT "hello"']),
        ("alice.mesh", "MX", ["alice.mesh. MX 10 mail.alice.mesh."]),
        ("www.alice.mesh", "AAAA", ["alice.mesh. AAAA eeee::1", "www.alice.mesh. CNAME alice.mesh."]),
        ("www.alice.mesh", "CNAME", ["www.alice.mesh. CNAME alice.mesh."]),
        ("out.alice.mesh", "A", ["out.alice.mesh. CNAME example.org."]),
        ("_443._tcp.alice.mesh", "TLSA", ["_443._tcp.alice.mesh. TLSA 3 1 1 " + "ab" * 32]),
        ("a.b.wild.alice.mesh", "TXT", ['a.b.wild.alice.mesh. TXT "any"']),
        ("sub.alice.mesh", "DS", ["sub.alice.mesh. DS 12345 13 2 " + "cd" * 32]),
        (
            "x.old.alice.mesh",
            "TXT",
            [
                "old.alice.mesh. DNAME wild.alice.mesh.",
                "x.old.alice.mesh. CNAME x.wild.alice.mesh.",
                'x.wild.alice.mesh. TXT "any"',
            ],
        ),
    ],
)
def test_data(server: Engine, name: str, kind: str, expected: list[str]) -> None:
    message = ask(server, name, kind)
    assert answers(message) == sorted(expected)
    assert message.flags & dns.flags.AA
    assert not message.flags & dns.flags.RA


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        ("_tcp.alice.mesh", "A", dns.rcode.NOERROR),  # an empty non-terminal
        ("wild.alice.mesh", "TXT", dns.rcode.NOERROR),
        ("x.wild.alice.mesh", "A", dns.rcode.NOERROR),
        ("alice.mesh", "A", dns.rcode.NOERROR),
        ("mesh", "A", dns.rcode.NOERROR),
        ("nobody.mesh", "A", dns.rcode.NXDOMAIN),
        ("x.nobody.mesh", "A", dns.rcode.NXDOMAIN),
        ("nothing.alice.mesh", "A", dns.rcode.NXDOMAIN),
        ("a.www.alice.mesh", "A", dns.rcode.NXDOMAIN),
        ("bad.alice.mesh", "A", dns.rcode.NXDOMAIN),  # its text is no address
    ],
)
def test_absence_has_an_soa(server: Engine, name: str, kind: str, rcode: int) -> None:
    message = ask(server, name, kind)
    assert message.rcode() == rcode
    assert [(str(rrset.name), rrset.rdtype) for rrset in message.authority] == [("mesh.", dns.rdatatype.SOA)]
    assert not message.answer


def test_a_loop_of_aliases_ends(server: Engine) -> None:
    assert len(ask(server, "loop.alice.mesh", "A").answer) == 2


def test_a_delegation_is_a_referral_with_glue_and_ds(server: Engine) -> None:
    message = ask(server, "deep.sub.alice.mesh", "A", do=True)
    assert not message.flags & dns.flags.AA
    assert {rrset.rdtype for rrset in message.authority} == {
        dns.rdatatype.NS,
        dns.rdatatype.DS,
        dns.rdatatype.RRSIG,
    }
    assert [str(item) for rrset in message.additional for item in rrset] == ["192.0.2.53"]
    plain = ask(server, "deep.plain.alice.mesh", "A", do=True)
    assert dns.rdatatype.NSEC in {rrset.rdtype for rrset in plain.authority}


def test_hosts_have_addresses_and_addresses_have_names(tmp_path: Path) -> None:
    node = LedgerNode(tmp_path)
    settle_alice(node)
    settle_bob(node)
    server = engine(node, tmp_path)
    phone = str(ask(server, "phone.bob.mesh", "AAAA").answer[0][0])
    for address, name in (("eeee::1", "alice.mesh."), (phone, "phone.bob.mesh.")):
        reverse = dns.reversename.from_address(address).to_text()
        assert str(ask(server, reverse, "PTR").answer[0][0]) == name
    mine = node_address(node.identity().key)
    assert mine is not None
    assert ask(server, dns.reversename.from_address(str(IPv6Address(mine))).to_text(), "PTR").rcode() == 3, "claimed"
    assert ask(server, "e.e.e.e.ip6.arpa", "SOA").answer
    assert ask(server, "0.e.e.e.e.ip6.arpa", "PTR").rcode() == 0
    assert ask(server, "x.e.e.e.e.ip6.arpa", "PTR").rcode() == 3


def test_grace_resolves_and_what_is_deleted_or_revoked_does_not(tmp_path: Path) -> None:
    node = LedgerNode(tmp_path, small_network(expiry=60, grace=10, commit_life=20))
    ALICE.register(node, "alice")
    BOB.register(node, "bob")
    entry = node.view().entry("bob")
    assert entry is not None
    BOB.put(node, Revoke(name="bob", reg=entry.reg, seq=1))
    assert ask(engine(node, tmp_path), "bob.mesh", "AAAA").rcode() == dns.rcode.NXDOMAIN
    alice = node.view().entry("alice")
    assert alice is not None
    while node.view().height < alice.expires:
        node.mine()
    assert ask(engine(node, tmp_path), "alice.mesh", "AAAA").answer, "in grace"
    while node.view().height < alice.expires + 10:
        node.mine()
    assert ask(engine(node, tmp_path), "alice.mesh", "AAAA").rcode() == dns.rcode.NXDOMAIN


def test_a_transferred_name_is_empty_but_there(node: LedgerNode, tmp_path: Path) -> None:
    entry = node.view().entry("alice")
    assert entry is not None
    ALICE.put(node, Transfer(name="alice", reg=entry.reg, seq=1, new_owner=BOB.key))
    message = ask(engine(node, tmp_path), "alice.mesh", "AAAA")
    assert (message.rcode(), message.answer) == (dns.rcode.NOERROR, [])


def test_every_type_a_wallet_sets_is_served(tmp_path: Path) -> None:
    kinds = {
        "A": "192.0.2.1", "AAAA": "2001:db8::1", "TXT": '"x"', "SRV": "1 2 3 a.mesh.", "MX": "5 a.mesh.",
        "TLSA": "3 1 1 " + "00" * 32, "SSHFP": "4 2 " + "11" * 32, "OPENPGPKEY": "mDMEXEcE6RYJKwYBBAHaRw8=",
        "CAA": '0 issue "ca.example"', "SVCB": "1 . alpn=h2", "HTTPS": "1 . alpn=h2 port=8443",
        "LOC": "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m", "URI": '10 1 "ftp://a.mesh/"',
        "SMIMEA": "3 1 1 " + "22" * 32, "NAPTR": '1 2 "s" "x" "" a.mesh.', "HINFO": '"a" "b"',
        "TYPE65400": r"\# 2 abcd",
    }  # fmt: skip
    node = LedgerNode(tmp_path)
    listed = [(f"t{at}", kind, 60, text) for at, (kind, text) in enumerate(kinds.items())]
    ALICE.register(node, "alice", record={**hosted(node, ALICE, "alice"), "dns": lines(*listed)})
    server = engine(node, tmp_path)
    for label, kind, _, text in listed:
        message = ask(server, f"{label}.alice.mesh", kind)
        assert [rrset.ttl for rrset in message.answer] == [60], kind
        made = dns.rdata.from_text("IN", kind, text, dns.name.root, relativize=False)
        assert message.answer[0][0] == made, kind


def test_names_of_others_are_refused_or_forwarded(node: LedgerNode, tmp_path: Path) -> None:
    refused = ask(engine(node, tmp_path), "example.org", "A")
    assert refused.rcode() == dns.rcode.REFUSED
    assert [option.code for option in refused.extended_errors()] == [20]
    forwarding = engine(node, tmp_path, forwards=True)
    question = dns.message.make_query("example.org", "A").to_wire()
    assert forwarding.udp(question, "127.0.0.1") == FORWARD
    assert ask(forwarding, "example.org", "A", source="192.0.2.9").rcode() == dns.rcode.REFUSED, "no open resolver"
    assert ask(forwarding, "alice.mesh", "A").flags & dns.flags.RA


def test_while_the_ledger_is_not_synced_nothing_old_is_told(node: LedgerNode, tmp_path: Path) -> None:
    message = ask(engine(node, tmp_path, synced=False), "alice.mesh", "AAAA")
    assert message.rcode() == dns.rcode.SERVFAIL
    assert [(error.code, error.text) for error in message.extended_errors()] == [
        (14, "the ledger is not synced: at block 7 of 90")
    ]


def test_an_answer_given_again_is_the_same_but_for_its_id(server: Engine) -> None:
    first = dns.message.make_query("alice.mesh", "AAAA").to_wire()
    fresh = server.udp(first, "127.0.0.1")
    again = server.udp(b"\x12\x34" + first[2:], "127.0.0.1")
    assert fresh is not None
    assert again == b"\x12\x34" + fresh[2:]
    assert server.hot[first[2:]] == fresh[2:]
