"""The servers, each a process of its own on a free port."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from bench.measure import pss_bytes

PATIENCE = 120.0


class Server:
    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process = process
        self.port = port

    @property
    def memory(self) -> int:
        """Bytes (PSS) of the process that was started."""
        return pss_bytes(self.process.pid)


@contextmanager
def meshd(datadir: Path) -> Iterator[Server]:
    """As users run it, but for mining, links and peers."""
    port, rpc = _free_port(), _free_port()
    off = ("--mine", "off", "--p2p", "off", "--link", "none", "--tun", "off")
    where = ("--datadir", str(datadir), "--rpc", f"127.0.0.1:{rpc}", "--dns", f"127.0.0.1:{port}")
    with _running([sys.executable, "-m", "meshchain.cli.meshd", "--network", "dev", *where, *off], port) as server:
        yield server


@contextmanager
def nsd(folder: Path, zone: Path) -> Iterator[Server]:
    """One process that answers, rate limiting off (Debian builds it in, so its limit is set to none)."""
    port = _free_port()
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
    with _running(["nsd", "-d", "-c", str(config)], port) as server:
        yield server


@contextmanager
def _running(command: list[str], port: int) -> Iterator[Server]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(process, port)
            yield Server(process, port)
        finally:
            process.terminate()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Until it answers for its zone."""
    query = dns.message.make_query("mesh", "SOA")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if dns.query.udp(query, "127.0.0.1", 0.5, port).answer:
                return
        except (dns.exception.DNSException, OSError):
            time.sleep(0.1)
    raise SystemExit(f"{process.args!r} does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
