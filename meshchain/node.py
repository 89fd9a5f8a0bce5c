"""Wiring only: builds the parts of a node from its configuration and runs them in one nursery."""

import gc
import random
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import structlog
import trio

from meshchain import __version__
from meshchain.config import Config
from meshchain.config.values import Address
from meshchain.dns.signing import Signer
from meshchain.dns.signing import load_or_create as load_zone_key
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.mempool import Mempool
from meshchain.ledger.queue import Queue
from meshchain.ledger.store import layout
from meshchain.ledger.store.leveldb import LevelStore
from meshchain.ledger.workers import ThreadWorkers, usable_cores
from meshchain.mesh.specs import link_specs
from meshchain.p2p import kept
from meshchain.p2p.gossip import Own
from meshchain.rpc.server import RpcServer
from meshchain.service import systemd
from meshchain.service.alarms import Alarms
from meshchain.service.api import NodeService
from meshchain.service.bridge import Bridge
from meshchain.service.clock import SystemClock
from meshchain.service.datadir import DatadirLock
from meshchain.service.dns import DnsService, LedgerSource
from meshchain.service.endpoints import neighbour_endpoints
from meshchain.service.facts import LedgerFacts
from meshchain.service.gossip import GossipService
from meshchain.service.hashing import HashingPool
from meshchain.service.launching import Channels
from meshchain.service.ledger import LedgerService
from meshchain.service.log import configure
from meshchain.service.miner import Miner
from meshchain.service.nodekey import NodeKey, load_or_create
from meshchain.service.outlook import Outlook
from meshchain.service.proxy import ProxyService
from meshchain.service.router import RouterService, Setup
from meshchain.service.socks import SocksService
from meshchain.service.stamper import Stamper
from meshchain.tls.authority import load_or_create as load_or_create_authority
from meshrouter.host.launcher import Launcher

LEDGER_FOLDER = "ledger"
_PATIENCE: Final = 65.0
"""Seconds for an answer of the router: a ping or a traceroute may take a minute."""


class _Listener(Protocol):
    async def open(self) -> None:
        """Bind; LocalError."""

    async def run(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Parts:
    """What takes connections; the loops of the ledger run already."""

    server: RpcServer
    gossip: GossipService
    socks: SocksService | None
    dns: DnsService | None
    proxy: ProxyService | None

    @property
    def listeners(self) -> list[_Listener]:
        return [part for part in (self.gossip, self.socks, self.dns, self.proxy) if part is not None]


def run(config: Config, launcher: Launcher | None) -> int:
    """Run a node until it is told to stop; its exit code. Raises LocalError for what keeps it from starting.

    Without ``launcher`` there is no router.
    """
    configure()
    with DatadirLock(config.datadir), ThreadWorkers() as workers:
        key = load_or_create(config.datadir)
        store = LevelStore(config.datadir / LEDGER_FOLDER)
        try:
            chain = Chain(store, config.params, workers)
            trio.run(_main, config, chain, key, launcher)
        finally:
            store.close()
    return 0


async def _main(config: Config, chain: Chain, key: NodeKey, launcher: Launcher | None) -> None:
    """Signals are ours until the last line is logged: a second Ctrl-C while the node stops changes nothing."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        await _run_parts(config, chain, key, launcher, signals)
        structlog.get_logger("node").info("stopped", height=chain.tip.height)


async def _run_parts(
    config: Config, chain: Chain, key: NodeKey, launcher: Launcher | None, signals: AsyncIterator[int]
) -> None:
    """All parts live in one nursery; a stop, from a signal or RPC, ends the server first, then the rest."""
    stop = trio.Event()
    token = trio.lowlevel.current_trio_token()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_stop_at_signal, signals, stop)
        parts = _build(config, chain, key, launcher, nursery, lambda: token.run_sync_soon(stop.set))
        for listener in parts.listeners:
            await listener.open()
            nursery.start_soon(listener.run)
        await trio.to_thread.run_sync(parts.server.start)
        _settle()
        try:
            _announce(config, chain, key, parts.server)
            await stop.wait()
            systemd.notify("STOPPING=1")
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(parts.server.stop)
                await parts.gossip.save()
        nursery.cancel_scope.cancel()


def _build(
    config: Config,
    chain: Chain,
    key: NodeKey,
    launcher: Launcher | None,
    nursery: trio.Nursery,
    stop: Callable[[], None],
) -> _Parts:
    """Make every part, start the loops of the ledger in ``nursery``; those that listen are not started yet."""
    clock, rng = SystemClock(), random.Random(secrets.randbits(128))
    alarms = Alarms(clock.now)
    searches = HashingPool(usable_cores())
    queue = Queue(chain.store, config.params, chain.genesis_id, node_key=key.public, sign=key.sign, rng=rng)
    mempool = Mempool(config.params, chain.workers, chain.stamps_seen)
    ledger = LedgerService(chain, mempool, queue, clock, alarms)
    outlook = Outlook(ledger, rng, enabled=config.mine)
    miner = Miner(ledger, outlook, searches, rng)
    stamper = Stamper(ledger, searches)
    for loop in (ledger.run, miner.run, stamper.run):
        nursery.start_soon(loop)
    gossip = _build_gossip(config, ledger, key)
    router = None if launcher is None else _build_router(config, ledger, key, launcher)
    if router is not None:
        nursery.start_soon(router.run)
        nursery.start_soon(_follow_neighbours, router, gossip)
    node = NodeService(
        params=config.params,
        datadir=config.datadir,
        started=clock.now(),
        ledger=ledger,
        miner=miner,
        mining_enabled=config.mine,
        key=key,
        zone=config.zone,
        alarms=alarms,
        bridge=Bridge(nursery),
        stop=stop,
        ask_router=None if router is None else _asker(router),
    )
    dns = None if config.dns is None else _build_dns(config, config.dns, ledger)
    server = RpcServer(node, config.rpc.host, config.rpc.port, ask_dns=None if dns is None else dns.engine.stream)
    return _Parts(server, gossip, _build_socks(config, ledger), dns, _build_proxy(config, ledger))


def _build_dns(config: Config, listen: Address, ledger: LedgerService) -> DnsService:
    return DnsService(
        listen,
        config.dns_forward,
        LedgerSource(ledger),
        Signer(load_zone_key(config.datadir), ledger.clock.now),
        stored=ledger.chain.store.get(layout.ZONE),
        secret=secrets.token_bytes(32),
        now=ledger.clock.now,
        steady=ledger.clock.running,
    )


def _build_socks(config: Config, ledger: LedgerService) -> SocksService | None:
    if config.socks is None:
        return None
    return SocksService(config.socks, view=lambda: ledger.view, synced=lambda: ledger.synced)


def _build_proxy(config: Config, ledger: LedgerService) -> ProxyService | None:
    if config.proxy is None:
        return None
    return ProxyService(
        config.proxy,
        load_or_create_authority(config.datadir, datetime.now(UTC)),
        view=lambda: ledger.view,
        synced=lambda: ledger.synced,
    )


def _build_router(config: Config, ledger: LedgerService, key: NodeKey, launcher: Launcher) -> RouterService:
    setup = Setup(
        seed=key.seed,
        key=key.public,
        zone=config.zone,
        links=tuple(link_specs(config.links)),
        tun=config.tun,
        gossip_port=config.p2p.port if config.p2p else 0,
        rules=tuple(rule.to_form() for rule in config.rules),
    )
    return RouterService(ledger, setup, Channels(launcher))


def _asker(router: RouterService) -> Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]:
    async def ask(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return await router.ask(method, params, _PATIENCE)

    return ask


async def _follow_neighbours(router: RouterService, gossip: GossipService) -> None:
    """Nodes on our links are peers of gossip."""
    while True:
        moved = router.moved
        gossip.set_neighbours(neighbour_endpoints(router.neighbours, tun=router.has_tun))
        await moved.wait()


def _build_gossip(config: Config, ledger: LedgerService, key: NodeKey) -> GossipService:
    gossip = kept.recalled(
        ledger.chain.store,
        facts=LedgerFacts(ledger),
        own=Own(key=key.public, agent=f"meshchain/{__version__}", listen_port=config.p2p.port if config.p2p else 0),
        rng=random.SystemRandom(),
        wall=ledger.clock.now,
    )
    return GossipService(ledger, gossip, seed=key.seed, listen=config.p2p, peers=config.peers)


def _settle() -> None:
    """What is loaded by now stays. Searched for cycles with all the rest, it would stop every thread for 60 ms at a
    time, while DNS should answer in less than one."""
    gc.collect()
    gc.freeze()


def _announce(config: Config, chain: Chain, key: NodeKey, server: RpcServer) -> None:
    log = structlog.get_logger("node")
    log.info(
        "ready",
        version=__version__,
        network=config.params.name,
        height=chain.tip.height,
        rpc=server.url,
        datadir=str(config.datadir),
        node_key=key.public.hex(),
    )
    systemd.notify("READY=1")


async def _stop_at_signal(signals: AsyncIterator[int], stop: trio.Event) -> None:
    async for _ in signals:
        stop.set()
