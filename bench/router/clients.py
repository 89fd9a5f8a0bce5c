"""What measures: Debian's iperf3 and ping, on hosts made of namespaces."""

import json
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.netns.host import Host

_UDP_SIZE = 1200
_WITHOUT_LOSS = 0.001
"""Share of datagrams that may be missing: a burst's worth while the clocks of the two ends settle."""


@contextmanager
def iperf_server(host: Host) -> Iterator[None]:
    server = host.start("iperf3", "--server")
    time.sleep(0.3)
    try:
        yield
    finally:
        server.terminate()
        server.wait()


def tcp_rate(client: Host, address: str, seconds: float) -> float:
    """Bits a second that arrive over one connection."""
    report = _iperf(client, address, "--time", str(seconds), "--omit", "1")
    return float(report["end"]["sum_received"]["bits_per_second"])


@dataclass(frozen=True, slots=True)
class Flood:
    """Packets a second that arrive, and the share of those sent that did not."""

    rate: float
    lost: float


def udp_flood(client: Host, address: str, packets_per_second: float, seconds: float) -> Flood:
    """Datagrams of 1,200 bytes at a steady rate."""
    bits = int(packets_per_second * _UDP_SIZE * 8)
    options = ("--udp", "--length", str(_UDP_SIZE), "--bitrate", str(bits), "--time", str(seconds))
    total = _iperf(client, address, *options)["end"]["sum"]
    sent, lost = total["packets"], total["lost_packets"]
    return Flood((sent - lost) / total["seconds"], lost / max(1, sent))


def most_packets(client: Host, address: str, seconds: float, low: float = 500.0, high: float = 200_000.0) -> float:
    """The highest rate (packets a second) found without loss, within a tenth: tried up and down by halves."""
    best = 0.0
    while high / low > 1.1:
        middle = (low * high) ** 0.5
        flood = udp_flood(client, address, middle, seconds)
        if flood.lost <= _WITHOUT_LOSS and flood.rate > 0.9 * middle:
            best, low = max(best, flood.rate), middle
        else:
            high = middle
    return best


def round_trips(client: Host, address: str, count: int = 300) -> float:
    """Median of ``count`` echoes, 10 ms apart, in seconds."""
    said = client.run("ping", "-6", "-n", "-i", "0.01", "-c", str(count), address, timeout=120)
    times = [float(line.rpartition("time=")[2].split()[0]) for line in said.splitlines() if "time=" in line]
    return statistics.median(times) / 1000


def _iperf(client: Host, address: str, *options: str) -> dict[str, dict[str, dict[str, float]]]:
    """The report; tried again where the server still has another client."""
    for attempt in range(5):
        said = client.run("iperf3", "--client", address, "--json", *options, check=False, timeout=120)
        report = json.loads(said or "{}")
        if "error" not in report and report:
            return dict(report)
        time.sleep(0.5 * (attempt + 1))
    raise RuntimeError(f"iperf3 does not get through to {address}: {said[-500:]}")
