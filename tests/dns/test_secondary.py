"""A real secondary, NSD, follows the zone from block to block by IXFR.

NSD is strict: where a record that is to go is not there, or one comes twice, it asks for the whole zone instead.
"""

import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import which

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.zone
import pytest
import trio

from meshchain.dns import transfer
from meshchain.dns.query import Query
from meshchain.dns.transfer import Edition
from meshchain.ledger.block import Block
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.operations import Revoke, Update
from tests.dns.lab import ALICE_DNS, Served, lines, served
from tests.dns.zones import is_difference, record
from tests.rpc.ledger_node import LedgerNode, small_network
from tests.rpc.people import ALICE, BOB, hosted

pytestmark = pytest.mark.skipif(
    not all(map(which, ("nsd", "ldns-verify-zone"))), reason="needs Debian's nsd and ldnsutils"
)

_NOTIFY = 1.0
"""Seconds between notifications: each begins NSD's question anew."""


@dataclass
class Secondary:
    lab: Served
    port: int
    answers: list[str]
    """What our server sent: "soa", "difference" or "whole"."""

    async def follow(self) -> list[str]:
        """Until its zone is ours; what was sent meanwhile, in any order. One "whole" of it is to this test."""
        own = await self.zone(self.lab.service.port)
        assert own
        with trio.move_on_after(60) as patience:
            while await self.zone(self.port) != own:
                await self.notify()
                with trio.move_on_after(_NOTIFY):
                    while await self.zone(self.port) != own:  # noqa: ASYNC110 - a process of another
                        await trio.sleep(0.02)
        assert not patience.cancelled_caught, self.lab.folder.joinpath("nsd.log").read_text()
        self.lab.folder.joinpath("zone").write_text(own)
        said = await self.lab.program("ldns-verify-zone", str(self.lab.folder / "zone"))
        assert "Zone is verified and complete" in said
        sent = sorted(answer for answer in self.answers if answer != "soa")
        self.answers.clear()
        return sent

    async def zone(self, port: int) -> str:
        """By AXFR; "" as long as there is none. A process of NSD's that is being replaced may leave it unanswered."""

        def fetch() -> str:
            messages = dns.query.xfr("127.0.0.1", "mesh", port=port, lifetime=5, relativize=False)
            zone = dns.zone.from_xfr(messages, relativize=False)
            return "".join(sorted(zone.to_text(relativize=False).splitlines(keepends=True)))

        try:
            return await trio.to_thread.run_sync(fetch)
        except (dns.exception.DNSException, OSError):
            return ""

    async def notify(self) -> None:
        message = dns.message.make_query("mesh", "SOA")
        message.set_opcode(dns.opcode.NOTIFY)
        message.flags |= dns.flags.AA
        with trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            await sock.sendto(message.to_wire(), ("127.0.0.1", self.port))


@asynccontextmanager
async def nsd(lab: Served, answers: list[str]) -> AsyncIterator[Secondary]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = lab.folder / "nsd.conf"
    config.write_text(
        f"""server:
  server-count: 1
  xfrd-reload-timeout: 0
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{lab.folder}"
  database: ""
  pidfile: "{lab.folder}/nsd.pid"
  verbosity: 3
  logfile: "{lab.folder}/nsd.log"
  xfrdfile: "{lab.folder}/xfrd.state"
  xfrdir: "{lab.folder}"
  zonelistfile: "{lab.folder}/zone.list"
remote-control:
  control-enable: no
zone:
  name: "mesh."
  zonefile: "nsd.zone"
  request-xfr: 127.0.0.1@{lab.service.port} NOKEY
  allow-notify: 127.0.0.1 NOKEY
  provide-xfr: 127.0.0.1 NOKEY
"""
    )
    async with trio.open_nursery() as nursery:
        quiet = partial(trio.run_process, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        await nursery.start(quiet, ["nsd", "-d", "-c", str(config)])
        yield Secondary(lab, port, answers)
        nursery.cancel_scope.cancel()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the server sends, one word a transfer."""
    sent: list[str] = []
    send = transfer.messages

    def noted(query: Query, edition: Edition) -> Iterator[bytes]:
        first = True
        for message in send(query, edition):
            if first:
                read = dns.message.from_wire(b"\0\0" + message, one_rr_per_rrset=True)
                records = [record(rrset) for rrset in read.answer]
                sent.append("soa" if len(records) == 1 else "difference" if is_difference(records) else "whole")
            first = False
            yield message

    monkeypatch.setattr(transfer, "messages", noted)
    return sent


def updated(node: LedgerNode) -> None:
    """alice has another record, and no MX any more."""
    entry = node.view().entry("alice")
    assert entry is not None
    kept = [line for line in ALICE_DNS if line[1] != "MX"]
    record_ = {**hosted(node, ALICE, "alice", "eeee::1"), "dns": lines(*kept, ("new", "TXT", 60, '"new"'))}
    ALICE.put(node, Update(name="alice", reg=entry.reg, seq=entry.seq + 1, record=record_))


def registered(node: LedgerNode) -> None:
    BOB.register(node, "late")


def registered_for_a_while(node: LedgerNode) -> None:
    BOB.register(node, "left")


def revoked(node: LedgerNode) -> None:
    entry = node.view().entry("n05")
    assert entry is not None
    BOB.put(node, Revoke(name="n05", reg=entry.reg, seq=entry.seq + 1))


def expired(node: LedgerNode) -> None:
    """alice, who was there before the others."""
    while node.view().entry("alice") is not None:
        node.mine()


def reorganised(node: LedgerNode) -> None:
    """A better branch of the same height in place of the last two blocks: another name is registered there."""
    view = node.view()
    for attempt in range(64):
        rival = LedgerNode(node.datadir, node.params)
        for height in range(1, view.height - 1):
            rival.chain.add_block(block_at(view, height), None)
        BOB.register(rival, f"right{attempt}")
        if rival.chain.tip.rank > node.chain.tip.rank:
            break
    for height in range(view.height - 1, view.height + 1):
        node.chain.add_block(block_at(rival.view(), height), None)
    assert (node.chain.tip.id, node.chain.tip.height) == (rival.chain.tip.id, view.height)


def block_at(view: ChainView, height: int) -> Block:
    block = view.block_at(height)
    assert block is not None
    return block


async def test_it_follows_by_ixfr(tmp_path: Path, answers: list[str]) -> None:
    async with served(tmp_path, now=time.time(), params=small_network(expiry=30, grace=5, commit_life=8)) as lab:
        node = lab.source.node
        BOB.register(node, *(f"n{at:02}" for at in range(20)))
        await lab.moved()
        async with nsd(lab, answers) as secondary:
            assert await secondary.follow() == ["whole", "whole"]
            for change in (updated, registered, revoked, registered_for_a_while, reorganised, expired):
                change(node)
                await lab.moved()
                assert await secondary.follow() == ["difference", "whole"], change
