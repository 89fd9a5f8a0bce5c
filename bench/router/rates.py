"""Throughput, latency and packet rate of each network in turn, and their ratios."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import Row
from bench.router.clients import iperf_server, most_packets, round_trips, tcp_rate
from bench.router.networks import Network, kernel, mesh, yggdrasil


@dataclass(frozen=True, slots=True)
class Figures:
    """Bits a second over one and two hops; seconds and packets a second over two."""

    name: str
    one_hop: float
    two_hops: float
    round_trip: float
    packets: float


def rates(seconds: float, kinds: tuple[str, ...] = ("udp", "ethernet")) -> list[Row]:
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        limit = _figures(kernel(), seconds)
        peer = _figures(yggdrasil(folder), seconds)
        rows = [_plain(limit), _plain(peer)]
        for kind in kinds:
            (folder / kind).mkdir()
            rows += _compared(_figures(mesh(folder / kind, kind), seconds), peer, limit)
    return rows


def _figures(made: AbstractContextManager[Network], seconds: float) -> Figures:
    with made as network:
        a, b, c = network.hosts
        near, far = network.addresses
        with iperf_server(b), iperf_server(c):
            return Figures(
                network.name,
                tcp_rate(a, near, seconds),
                tcp_rate(a, far, seconds),
                round_trips(a, far),
                most_packets(a, far, max(1.0, seconds / 3)),
            )


def _plain(figures: Figures) -> Row:
    text = f"{figures.one_hop / 1e6:,.0f} and {figures.two_hops / 1e6:,.0f} Mbit/s, {1000 * figures.round_trip:.2f} ms"
    return Row(
        f"{figures.name}: TCP over 1 and 2 hops, echo, 1,200-byte datagrams",
        f"{text}, {figures.packets:,.0f}/s",
        "",
        None,
        _numbers(figures),
    )


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
