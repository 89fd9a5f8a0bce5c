"""Throughput, latency and packet rate of networks that stand side by side, and their ratios."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bench.measure import Row
from bench.router.clients import iperf_server, most_packets, round_trips, tcp_rate
from bench.router.networks import Network, bare, kernel, mesh, yggdrasil


@dataclass(frozen=True, slots=True)
class Figures:
    """Bits a second over one and two hops; seconds and packets a second over two."""

    name: str
    one_hop: float
    two_hops: float
    round_trip: float
    packets: float


ROUNDS: Final = 5
"""Measured in turn, the median counts: what a machine gives changes within minutes, more than what is compared."""


def rates(seconds: float, kinds: tuple[str, ...] = ("udp", "ethernet")) -> list[Row]:
    """``seconds``: of each kind of measurement, over all rounds."""
    with TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        networks = [stack.enter_context(made) for made in (kernel(), yggdrasil(folder))]
        for kind in kinds:
            (folder / kind).mkdir()
            networks.append(stack.enter_context(mesh(folder / kind, kind)))
        for host in [host for network in networks for host in network.hosts[1:]]:
            stack.enter_context(iperf_server(host))
        least = stack.enter_context(bare())
        rounds, least_echoes = [], []
        for _ in range(ROUNDS):
            rounds.append([_once(network, seconds / ROUNDS) for network in networks])
            least_echoes.append(round_trips(least.hosts[0], least.addresses[1]))
        limit, peer, *ours = [
            _figures(network, figures, max(1.0, seconds / 3))
            for network, figures in zip(networks, zip(*rounds, strict=True), strict=True)
        ]
    rows = [_plain(limit), _plain(peer), _least(median(least_echoes), peer)]
    for each in ours:
        rows += _compared(each, peer, limit)
    return rows


def _once(network: Network, seconds: float) -> tuple[float, float, float]:
    """Bits a second over one and two hops, seconds of an echo."""
    first, (near, far) = network.hosts[0], network.addresses
    return tcp_rate(first, near, seconds), tcp_rate(first, far, seconds), round_trips(first, far)


def _figures(network: Network, rounds: Sequence[tuple[float, float, float]], seconds: float) -> Figures:
    one_hop, two_hops, round_trip = (median(each) for each in zip(*rounds, strict=True))
    packets = most_packets(network.hosts[0], network.addresses[1], seconds)
    return Figures(network.name, one_hop, two_hops, round_trip, packets)


def _plain(figures: Figures) -> Row:
    text = f"{figures.one_hop / 1e6:,.0f} and {figures.two_hops / 1e6:,.0f} Mbit/s, {1000 * figures.round_trip:.2f} ms"
    return Row(
        f"{figures.name}: TCP over 1 and 2 hops, echo, 1,200-byte datagrams",
        f"{text}, {figures.packets:,.0f}/s",
        "",
        None,
        _numbers(figures),
    )


def _least(echo: float, peer: Figures) -> Row:
    ratio = echo / peer.round_trip
    text = f"{1000 * echo:.2f} ms = {ratio:.2f} × Yggdrasil's"
    values = {"round_trip_s": echo, "echo_ratio": ratio}
    return Row("Python that only reads, seals and writes: echo over two hops", text, "", None, values)


def _compared(ours: Figures, peer: Figures, limit: Figures) -> Iterator[Row]:
    one, two = ours.one_hop / peer.one_hop, ours.two_hops / peer.two_hops
    echo, packets = ours.round_trip / peer.round_trip, ours.packets / peer.packets
    values = _numbers(ours) | {
        "one_hop_ratio": one,
        "two_hops_ratio": two,
        "echo_ratio": echo,
        "packets_ratio": packets,
    }
    near, far = ("one hop", ours.one_hop, one, limit.one_hop), ("two hops", ours.two_hops, two, limit.two_hops)
    for hops, rate, ratio, most in (near, far):
        text = f"{rate / 1e6:,.0f} Mbit/s = {ratio:.2f} × Yggdrasil's, {rate / most:.0%} of the kernel's"
        yield Row(f"{ours.name}: TCP over {hops}", text, "≥ 1.5 ×", ratio >= 1.5, values)
    text = f"{1000 * ours.round_trip:.2f} ms = {echo:.2f} × Yggdrasil's"
    yield Row(f"{ours.name}: echo over two hops, median", text, "≤ 0.5 ×", echo <= 0.5, values)
    text = f"{ours.packets:,.0f}/s = {packets:.2f} × Yggdrasil's"
    yield Row(f"{ours.name}: 1,200-byte datagrams without loss, two hops", text, "≥ 1.5 ×", packets >= 1.5, values)


def _numbers(figures: Figures) -> dict[str, float]:
    return {
        "one_hop_bits_per_second": figures.one_hop,
        "two_hops_bits_per_second": figures.two_hops,
        "round_trip_s": figures.round_trip,
        "packets_per_second": figures.packets,
    }
