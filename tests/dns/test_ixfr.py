"""IXFR through the sockets: by dnspython's own client, by TCP and UDP, and what is answered where nothing is sent."""

import time
from pathlib import Path

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.versioned
import dns.xfr
import pytest
import trio

from meshchain.dns.engine import Engine
from meshchain.ledger.operations import Revoke, Update
from meshchain.service.dns import DnsService
from tests.dns.lab import ALICE_DNS, Served, lines, served, serving
from tests.dns.zones import ixfr
from tests.rpc.people import ALICE, BOB, hosted

NOW = 1_800_000_000.0
TCP, UDP = dns.query.UDPMode.NEVER, dns.query.UDPMode.ONLY
BOTH = dns.query.UDPMode.TRY_FIRST


async def follow(lab: Served, zone: dns.versioned.Zone, mode: dns.query.UDPMode) -> bool:
    """Bring the zone up to date, and whether its serial did change."""
    question, serial = dns.xfr.make_query(zone, use_edns=0, payload=4096)

    def fetch() -> None:
        dns.query.inbound_xfr("127.0.0.1", zone, question, lab.service.port, lifetime=30, udp_mode=mode)

    await trio.to_thread.run_sync(fetch)
    with zone.reader() as reader:
        soa = reader.get(dns.name.from_text("mesh."), "SOA")
    assert soa is not None
    return bool(soa[0].serial != serial)


async def fresh(lab: Served) -> dns.versioned.Zone:
    zone = dns.versioned.Zone("mesh.", relativize=False)
    await follow(lab, zone, TCP)
    return zone


def texts(zone: dns.versioned.Zone) -> list[str]:
    return sorted(zone.to_text(relativize=False).splitlines())


def change(lab: Served, *texts_: str) -> None:
    """alice's records are those of the lab and these."""
    node = lab.source.node
    entry = node.view().entry("alice")
    assert entry is not None
    new = [("new", "TXT", 60, text) for text in texts_]
    record = {**hosted(node, ALICE, "alice", "eeee::1"), "dns": lines(*ALICE_DNS, *new)}
    ALICE.put(node, Update(name="alice", reg=entry.reg, seq=entry.seq + 1, record=record))


@pytest.mark.parametrize("mode", [TCP, UDP])
async def test_a_client_follows(tmp_path: Path, mode: dns.query.UDPMode, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(tmp_path, now=NOW) as lab:
        BOB.register(lab.source.node, *(f"n{at:02}" for at in range(9)))
        await lab.moved()
        zone = await fresh(lab)
        if mode == UDP:
            monkeypatch.setattr(DnsService, "_transfer", lambda *_: None)
        else:
            monkeypatch.setattr(Engine, "_news", lambda *_: None)
        change(lab, '"one"')
        await lab.moved()
        assert await follow(lab, zone, mode)
        change(lab, '"two"')
        await lab.moved()
        change(lab, '"three"')
        await lab.moved()
        assert await follow(lab, zone, mode), "two versions at once"
        bob = lab.source.node.view().entry("n03")
        assert bob is not None
        BOB.put(lab.source.node, Revoke(name="n03", reg=bob.reg, seq=bob.seq + 1))
        await lab.moved()
        assert await follow(lab, zone, mode)
        assert not await follow(lab, zone, mode), "up to date"
        monkeypatch.undo()
        assert texts(zone) == texts(await fresh(lab))


async def test_what_is_too_long_for_udp_comes_by_tcp(tmp_path: Path) -> None:
    async with served(tmp_path, now=NOW) as lab:
        BOB.register(lab.source.node, *(f"n{at:02}" for at in range(40)))
        await lab.moved()
        zone = await fresh(lab)
        BOB.register(lab.source.node, *(f"m{at:02}" for at in range(5)))
        await lab.moved()
        short = (await lab.udp(ixfr(2))).answer
        assert [(rrset.rdtype, len(rrset), rrset[0].serial) for rrset in short] == [(dns.rdatatype.SOA, 1, 3)]
        assert await follow(lab, zone, BOTH)
        assert texts(zone) == texts(await fresh(lab))


async def test_udp_answers_in_the_size_that_the_client_takes(tmp_path: Path) -> None:
    async with served(tmp_path, now=NOW) as lab:
        change(lab, '"one"')
        await lab.moved()
        sizes = []
        for size in (512, 1232, 4096):
            query = ixfr(1)
            query.use_edns(0, payload=size)
            wire = (await lab.udp(query)).to_wire()
            assert len(wire) <= min(size, 1232)
            sizes.append(len(wire))
        assert sizes[0] < 200 < sizes[1] == sizes[2]
        assert len((await lab.udp(ixfr(1))).answer) == 1, "no EDNS: 512"


async def test_what_is_not_for_all(tmp_path: Path) -> None:
    async with served(tmp_path, now=NOW) as lab:
        change(lab, '"one"')
        await lab.moved()
        engine = lab.service.engine
        for asked, address, by_udp in [
            (ixfr(1), "192.0.2.1", True),
            (ixfr(1), "192.0.2.1", False),
            (ixfr(1), "127.0.0.1", False),  # what comes by HTTP
            (dns.message.make_query("mesh", "AXFR"), "127.0.0.1", True),
            (dns.message.make_query("alice.mesh", "IXFR"), "127.0.0.1", True),
            (dns.message.make_query("e.e.e.e.ip6.arpa", "IXFR"), "127.0.0.1", True),
        ]:
            wire = engine.udp(asked.to_wire(), address) if by_udp else engine.stream(asked.to_wire(), address)
            assert wire
            assert dns.message.from_wire(wire).rcode() == dns.rcode.REFUSED
        lab.source.node.synced = False
        lab.source.moved()
        with trio.fail_after(30):
            while engine.snapshot.synced:  # noqa: ASYNC110 - it has no event
                await trio.sleep(0.01)
        for answer in (await lab.udp(ixfr(1)), await lab.tcp(ixfr(1))):
            assert answer.rcode() == dns.rcode.SERVFAIL


async def test_without_a_serial_there_is_only_the_whole_zone(tmp_path: Path) -> None:
    async with served(tmp_path, now=NOW) as lab:
        change(lab, '"one"')
        await lab.moved()
        bare = dns.message.make_query("mesh", "IXFR")
        assert len((await lab.udp(bare)).answer) == 1
        whole = await lab.tcp(dns.message.make_query("mesh", "AXFR"))
        assert (await lab.tcp(bare)).answer == whole.answer
        assert (await lab.tcp(ixfr(0))).answer == whole.answer, "an unknown one"
        assert (await lab.tcp(ixfr(1))).answer != whole.answer


async def test_differences_go_on_after_the_node_was_behind(tmp_path: Path) -> None:
    """While it is not synced nothing is published; the next version's difference has all that came meanwhile."""
    async with served(tmp_path, now=time.time()) as lab:
        zone = await fresh(lab)
        lab.source.node.synced = False
        BOB.register(lab.source.node, "late")
        lab.source.moved()
        change(lab, '"one"')
        lab.source.node.synced = True
        await lab.moved()
        assert await follow(lab, zone, TCP)
        assert texts(zone) == texts(await fresh(lab))


async def test_differences_go_on_after_a_restart(tmp_path: Path) -> None:
    """From the version served last, if the node is where it was then."""
    async with served(tmp_path, now=NOW) as lab:
        zone = await fresh(lab)
        source = lab.source
    async with serving(source, tmp_path, now=NOW) as lab:
        change(lab, '"one"')
        await lab.moved()
        assert (await lab.tcp(ixfr(1))).answer != (await lab.tcp(ixfr(0))).answer
        assert await follow(lab, zone, TCP)
        assert texts(zone) == texts(await fresh(lab))
    change(lab, '"two"')
    source.moved()
    async with serving(source, tmp_path, now=NOW) as lab:
        await lab.until_published(3)
        whole = await lab.tcp(ixfr(0))
        assert (await lab.tcp(ixfr(2))).answer == whole.answer, "the state of serial 2 is not at hand any more"
        assert await follow(lab, zone, TCP)
        assert texts(zone) == texts(await fresh(lab))


async def test_a_lost_key_is_a_change(tmp_path: Path) -> None:
    """A new one signs what the client has with the old one's signatures."""
    async with served(tmp_path, now=NOW) as lab:
        zone = await fresh(lab)
        source = lab.source
    (tmp_path / "dns.key").unlink()
    async with serving(source, tmp_path, now=NOW) as lab:
        await lab.until_published(2)
        assert await follow(lab, zone, TCP)
        assert texts(zone) == texts(await fresh(lab))
