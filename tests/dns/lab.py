"""The DNS service with real sockets over a real ledger in memory; names are registered by their owners' operations."""

import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import dns.message
import dns.query
import dns.rdatatype
import trio

from meshchain.config.values import Address
from meshchain.dns.engine import Engine
from meshchain.dns.history import Snapshot
from meshchain.dns.serial import ZoneVersion
from meshchain.dns.signing import Signer, load_or_create
from meshchain.ledger.chain.view import ChainView
from meshchain.ledger.codec import Value
from meshchain.ledger.entry import Record
from meshchain.ledger.params import Params
from meshchain.ledger.store import layout
from meshchain.service.dns import DnsService
from tests.rpc.ledger_node import LedgerNode, small_network
from tests.rpc.people import ALICE, hosted

NOW = 1_800_000_000.0
SECRET = bytes(range(32))
Line = tuple[str, str, int, str]

ALICE_DNS: Sequence[Line] = (
    ("", "TXT", 300, '"hello"'),
    ("", "MX", 300, "10 mail.alice.mesh."),
    ("www", "CNAME", 300, "alice.mesh."),
    ("out", "CNAME", 300, "example.org."),
    ("loop", "CNAME", 300, "pool.alice.mesh."),
    ("pool", "CNAME", 300, "loop.alice.mesh."),
    ("_443._tcp", "TLSA", 300, "3 1 1 " + "ab" * 32),
    ("*.wild", "TXT", 300, '"any"'),
    ("sub", "NS", 300, "ns.sub.alice.mesh."),
    ("sub", "DS", 300, "12345 13 2 " + "cd" * 32),
    ("ns.sub", "A", 300, "192.0.2.53"),
    ("plain", "NS", 300, "ns.example.org."),
    ("old", "DNAME", 300, "wild.alice.mesh."),
    ("bad", "A", 300, "this is no address"),
    ("", "SOA", 300, ". . 1 1 1 1 1"),
)


def lines(*listed: Line) -> list[Value]:
    return [[label, kind, ttl, text] for label, kind, ttl, text in listed]


def settle(node: LedgerNode, listed: Sequence[Line] = ALICE_DNS) -> None:
    """alice has all that ALICE_DNS says and the claimed address eeee::1."""
    record: Record = {**hosted(node, ALICE, "alice", "eeee::1"), "dns": lines(*listed)}
    ALICE.register(node, "alice", record=record)


class LabSource:
    """A ledger whose newest tip is read when the test says so."""

    def __init__(self, node: LedgerNode) -> None:
        self.node = node
        self.view: ChainView = node.view()
        self.changed = trio.Event()
        self.progress = "at block 7 of 90"
        self.rows: dict[bytes, bytes] = {}

    @property
    def synced(self) -> bool:
        return self.node.synced

    async def keep(self, rows: Mapping[bytes, bytes]) -> None:
        self.rows.update(rows)

    def moved(self) -> None:
        self.view = self.node.view()
        self.changed.set()
        self.changed = trio.Event()


def engine(node: LedgerNode, folder: Path, *, forwards: bool = False, synced: bool = True) -> Engine:
    """Without sockets; serial 7."""
    signer = Signer(load_or_create(folder), lambda: NOW)
    version = ZoneVersion(7, signer.window, node.view().tip.state_root, signer.key.tag)
    snapshot = Snapshot(node.view(), version, synced, "at block 7 of 90")
    return Engine(signer, snapshot, secret=SECRET, now=lambda: NOW, steady=lambda: 0.0, forwards=forwards)


def ask(server: Engine, name: str, kind: str, *, do: bool = False, source: str = "127.0.0.1") -> dns.message.Message:
    query = dns.message.make_query(name, kind, use_edns=0, want_dnssec=do)
    answer = server.udp(query.to_wire(), source)
    assert answer
    message = dns.message.from_wire(answer)
    assert query.is_response(message)
    return message


class Served:
    """A service that runs."""

    def __init__(self, service: DnsService, source: LabSource, folder: Path) -> None:
        self.service = service
        self.source = source
        self.folder = folder

    async def until_published(self, serial: int) -> None:
        with trio.fail_after(30):
            engine = self.service.engine
            while engine.snapshot.serial < serial or not engine.snapshot.synced:  # noqa: ASYNC110 - it has no event
                await trio.sleep(0.01)

    async def moved(self) -> None:
        """The newest tip is served, which has changed the zone."""
        serial = self.service.engine.snapshot.serial
        self.source.moved()
        await self.until_published(serial + 1)

    async def udp(self, query: dns.message.Message) -> dns.message.Message:
        return await trio.to_thread.run_sync(lambda: dns.query.udp(query, "127.0.0.1", 10, self.service.port))

    async def tcp(self, query: dns.message.Message) -> dns.message.Message:
        return await trio.to_thread.run_sync(lambda: dns.query.tcp(query, "127.0.0.1", 10, self.service.port))

    async def program(self, *command: str) -> str:
        """Output of a program that ends well, or with why it did not."""
        done = await trio.run_process(command, capture_stdout=True, stderr=subprocess.STDOUT, check=False)
        return done.stdout.decode()

    async def dig(self, *words: str) -> str:
        return await self.program("dig", "@127.0.0.1", "-p", str(self.service.port), *words)


@asynccontextmanager
async def served(
    folder: Path, *, now: float, forward: Sequence[Address] = (), params: Params | None = None
) -> AsyncIterator[Served]:
    """alice's service on a free port; ``now``: Unix time, which validators compare with their own."""
    node = LedgerNode(folder, params or small_network())
    settle(node)
    async with serving(LabSource(node), folder, now=now, forward=forward) as lab:
        yield lab


@asynccontextmanager
async def serving(
    source: LabSource, folder: Path, *, now: float, forward: Sequence[Address] = ()
) -> AsyncIterator[Served]:
    """A service that goes on where the source's rows say."""
    service = DnsService(
        Address("127.0.0.1", 0), forward, source, Signer(load_or_create(folder), lambda: now),
        stored=source.rows.get(layout.ZONE), secret=SECRET, now=lambda: now, steady=trio.current_time,
    )  # fmt: skip
    await service.open()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(service.run)
        lab = Served(service, source, folder)
        await lab.until_published(1)
        yield lab
        nursery.cancel_scope.cancel()
