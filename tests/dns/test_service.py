"""The shell: TCP, transfers, serials, forwarding, clients that are slow or too many."""

import contextlib
import socket
import time
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone
import pytest
import trio

from meshchain.config.values import Address
from meshchain.dns.serial import ZoneVersion
from meshchain.dns.signing import WINDOW, Signer, load_or_create
from meshchain.ledger.errors import LocalError
from meshchain.ledger.operations import Update
from meshchain.ledger.store import layout
from meshchain.service import dns as service_module
from meshchain.service.dns import DnsService
from tests.dns.lab import ALICE_DNS, SECRET, Served, lines, served
from tests.rpc.people import ALICE, BOB, hosted

NOW = 1_800_000_000.0


def query(name: str = "alice.mesh", kind: str = "AAAA") -> dns.message.QueryMessage:
    return dns.message.make_query(name, kind, use_edns=0)


async def transferred(lab: Served) -> dns.zone.Zone:
    def fetch() -> dns.zone.Zone:
        messages = dns.query.xfr("127.0.0.1", "mesh", port=lab.service.port, lifetime=30, relativize=False)
        return dns.zone.from_xfr(messages, relativize=False)

    return await trio.to_thread.run_sync(fetch)


def update(lab: Served, text: str) -> None:
    """alice changes a record of hers, in a block."""
    node = lab.source.node
    entry = node.view().entry("alice")
    assert entry is not None
    changed = lines(*ALICE_DNS, ("new", "TXT", 60, text))
    record = {**hosted(node, ALICE, "alice", "eeee::1"), "dns": changed}
    ALICE.put(node, Update(name="alice", reg=entry.reg, seq=entry.seq + 1, record=record))
    lab.source.moved()


async def test_udp_tcp_and_several_questions_on_one_connection(tmp_path: Path) -> None:
    async with served(tmp_path, now=NOW) as lab:
        assert str((await lab.udp(query())).answer[0][0]) == "eeee::1"
        asked = [query("alice.mesh", kind) for kind in ("AAAA", "TXT", "MX")]
        stream = await trio.open_tcp_stream("127.0.0.1", lab.service.port)
        async with stream:
            wires = [question.to_wire() for question in asked]
            await stream.send_all(b"".join(len(wire).to_bytes(2, "big") + wire for wire in wires))
            for question in asked:
                answer = dns.message.from_wire(await service_module._receive(stream))
                assert question.is_response(answer)
                assert answer.answer


async def test_every_change_of_the_ledger_raises_the_serial_and_is_answered(tmp_path: Path) -> None:
    async with served(tmp_path, now=NOW) as lab:
        assert (await lab.udp(query("new.alice.mesh", "TXT"))).rcode() == dns.rcode.NXDOMAIN
        update(lab, '"one"')
        await lab.until_published(2)
        assert (await lab.udp(query("new.alice.mesh", "TXT"))).answer
        assert ZoneVersion.decode(lab.source.rows[layout.ZONE]).serial == 2
        lab.source.node.mine()
        lab.source.moved()
        update(lab, '"two"')
        await lab.until_published(3)
        soa = (await lab.udp(query("mesh", "SOA"))).answer[0][0]
        assert soa.serial == 3, "an empty block changes nothing"


def test_a_version_is_of_the_state_the_week_and_the_key() -> None:
    first = ZoneVersion.decode(None).follow(b"a" * 32, 5, 300)
    assert first.serial == 1
    assert first.follow(b"a" * 32, 5, 300) is first
    assert first.follow(b"b" * 32, 5, 300).serial == 2, "another state, whatever its height"
    assert first.follow(b"a" * 32, 6, 300).serial == 2
    assert first.follow(b"a" * 32, 5, 301).serial == 2, "another key"
    assert ZoneVersion.decode(first.encode()) == first
    assert ZoneVersion.decode(first.encode()[:-2]) == ZoneVersion(1, 5, b"a" * 32, 0), "of an earlier program"
    assert ZoneVersion(2**32 - 1, 5, bytes(32), 0).follow(b"a" * 32, 5, 0).serial == 1
    assert ZoneVersion.decode(b"damaged").serial == 0


async def test_a_serial_that_cannot_be_written_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(tmp_path, now=NOW) as lab:

        async def full(rows: object) -> None:
            raise LocalError("disk-full", "no room")

        monkeypatch.setattr(lab.source, "keep", full)
        update(lab, '"one"')
        with trio.move_on_after(0.3):
            await lab.until_published(2)
        assert lab.service.engine.snapshot.serial == 1
        monkeypatch.undo()
        await lab.until_published(2)


async def test_a_transfer_is_whole_and_ixfr_tells_who_is_up_to_date(tmp_path: Path) -> None:
    async with served(tmp_path, now=NOW) as lab:
        zone = await transferred(lab)
        address = zone.get_rdataset("alice.mesh.", "AAAA")
        assert address is not None
        assert str(address[0]) == "eeee::1"
        assert zone.get_rdataset("ns.sub.alice.mesh.", "A") is not None, "glue"
        assert zone.get_rdataset("sub.alice.mesh.", "NSEC") is not None
        up_to_date = dns.message.make_query("mesh", "IXFR")
        up_to_date.authority.append(dns.rrset.from_text("mesh.", 0, "IN", "SOA", ". . 1 0 0 0 0"))
        assert len((await lab.tcp(up_to_date)).answer) == 1
        again = await lab.tcp(dns.message.make_query("alice.mesh", "AXFR"))
        assert again.rcode() == dns.rcode.REFUSED, "no zone begins there"


async def test_a_zone_of_many_messages_has_its_names_in_order(tmp_path: Path) -> None:
    async with served(tmp_path, now=NOW) as lab:
        many = [f"n{at:03}" for at in range(60)]
        BOB.register(lab.source.node, *many)
        lab.source.moved()
        await lab.until_published(2)
        zone = await transferred(lab)
        assert all(zone.get_rdataset(f"{name}.mesh.", "AAAA") for name in many)
        at, seen = dns.name.from_text("mesh."), 0
        while True:
            chain = zone.get_rdataset(at, "NSEC")
            assert chain is not None
            at, seen = chain[0].next, seen + 1
            if at == dns.name.from_text("mesh."):
                break
        assert seen == sum(1 for _, rdataset in zone.iterate_rdatasets() if rdataset.rdtype == dns.rdatatype.NSEC)


async def test_questions_for_others_go_to_the_resolver_that_answers(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dead.bind(("127.0.0.1", 0))
    (tmp_path / "other").mkdir()
    async with served(tmp_path / "other", now=NOW) as other:
        other.service.engine.forwards = False
        forward = [Address("127.0.0.1", dead.getsockname()[1]), Address("127.0.0.1", other.service.port)]
        async with served(tmp_path, now=NOW, forward=forward) as lab:
            answer = await lab.udp(query("example.org", "A"))
            assert answer.rcode() == dns.rcode.REFUSED, "the other's word"
            assert not answer.flags & dns.flags.RA
            assert (await lab.tcp(query("example.org", "A"))).rcode() == dns.rcode.REFUSED
    dead.close()


async def test_slow_clients_are_cut_off_and_too_many_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_module, "PATIENCE", 0.2)
    async with served(tmp_path, now=NOW) as lab:
        lab.service._streams.total_tokens = 2
        streams = [await trio.open_tcp_stream("127.0.0.1", lab.service.port) for _ in range(3)]
        for stream in streams:
            await stream.send_all(b"\0")
            with trio.fail_after(5):
                with contextlib.suppress(trio.BrokenResourceError):
                    assert await stream.receive_some(1) == b""
            await trio.aclose_forcefully(stream)
        assert (await lab.tcp(query())).answer


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    async with served(tmp_path, now=NOW) as lab:
        signer = Signer(load_or_create(tmp_path), time.time)
        second = DnsService(
            Address("127.0.0.1", lab.service.port), (), lab.source, signer, stored=None, secret=SECRET,
            now=time.time, steady=time.monotonic,
        )  # fmt: skip
        with pytest.raises(LocalError, match=f"{lab.service.port}.*--dns off"):
            await second.open()


def test_the_key_is_private_and_kept(tmp_path: Path) -> None:
    key = load_or_create(tmp_path)
    assert (tmp_path / "dns.key").stat().st_mode & 0o777 == 0o600
    assert load_or_create(tmp_path).dnskey == key.dnskey
    (tmp_path / "dns.key").write_text("nonsense")
    with pytest.raises(LocalError, match=r"dns\.key"):
        load_or_create(tmp_path)


def test_signatures_hold_through_their_week_and_another(tmp_path: Path) -> None:
    now = [NOW]
    signer = Signer(load_or_create(tmp_path), lambda: now[0])
    rrset = signer.dnskey((b"mesh",), 60)
    first = signer.rrsig(rrset, rrset.owner, rrset.owner)
    end, begin = (int.from_bytes(first.rdatas[0][at : at + 4], "big") for at in (8, 12))
    assert begin < NOW - 86_000
    assert end > NOW + WINDOW
    now[0] += WINDOW
    assert signer.rrsig(rrset, rrset.owner, rrset.owner) != first
