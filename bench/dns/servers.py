"""The servers, each a process of its own on a free port."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode

from bench.measure import pss_bytes
from meshchain.cli.scratch import free_ports

PATIENCE = 120.0


class Server:
    """``port``: of DNS; ``rpc``: of HTTP, 0 for none."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, rpc: int) -> None:
        self.process = process
        self.port = port
        self.rpc = rpc

    @property
    def memory(self) -> int:
        """Bytes (PSS) of the process that was started."""
        return pss_bytes(self.process.pid)


@contextmanager
def meshd(datadir: Path) -> Iterator[Server]:
    """As users run it, but for mining, links and peers."""
    port, rpc = free_ports(2)
    off = ("--mine", "off", "--p2p", "off", "--link", "none", "--tun", "off")
    where = ("--datadir", str(datadir), "--rpc", f"127.0.0.1:{rpc}", "--dns", f"127.0.0.1:{port}")
    command = [sys.executable, "-m", "meshchain.cli.meshd", "--network", "dev", *where, *off]
    with running(command, port, rpc, "mesh") as server:
        yield server


@contextmanager
def nsd(folder: Path, zone: Path) -> Iterator[Server]:
    """One process that answers, rate limiting off (Debian builds it in, so its limit is set to none)."""
    [port] = free_ports(1)
    config = folder / "nsd.conf"
    config.write_text(
        f"""server:
  server-count: 1
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "mesh."
  zonefile: "{zone}"
"""
    )
    with running(["nsd", "-d", "-c", str(config)], port, 0, "mesh") as server:
        yield server


@contextmanager
def running(command: list[str], port: int, rpc: int, known: str) -> Iterator[Server]:
    """The process, once it answers for the name ``known``; ended with the context."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(process, port, known)
            yield Server(process, port, rpc)
        finally:
            process.terminate()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, known: str) -> None:
    query = dns.message.make_query(known, "SOA")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if dns.query.udp(query, "127.0.0.1", 0.5, port).rcode() == dns.rcode.NOERROR:
                return
            time.sleep(0.1)
        except (dns.exception.DNSException, OSError):
            time.sleep(0.1)
    raise SystemExit(f"{process.args!r} does not answer")
