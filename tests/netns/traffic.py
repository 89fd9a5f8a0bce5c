"""What programs do over a mesh: servers and clients whose sockets live on a host, and what is seen on a cable."""

import contextlib
import json
import re
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from tests.netns.host import Host
from tests.waiting import PATIENCE, eventually

GOODBYE: Final = b"that was all"
"""What an echo server says after the client's end, so that a half-closed connection shows."""
PING_EVERY: Final = 0.05
"""Seconds between two pings: root may."""
_RECORD: Final = struct.Struct("=IIII")
_PCAP_HEADER: Final = 24


def listening(host: Host, port: int, address: str = "::") -> socket.socket:
    """A TCP socket of this host that accepts."""
    with host.inside():
        return socket.create_server((address, port), family=socket.AF_INET6, backlog=256)


@contextlib.contextmanager
def echo_server(host: Host, port: int, address: str = "::") -> Iterator[None]:
    """TCP: gives back what it gets, then GOODBYE."""
    listener = listening(host, port, address)
    accepting = threading.Thread(target=_accept, args=(listener,), daemon=True)
    accepting.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(PATIENCE)


def _accept(listening: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed: the end
        while True:
            threading.Thread(target=_echo, args=(listening.accept()[0],), daemon=True).start()


def _echo(connected: socket.socket) -> None:
    with connected, contextlib.suppress(OSError):
        while data := connected.recv(65_536):
            connected.sendall(data)
        connected.sendall(GOODBYE)


def connected(host: Host, address: str, port: int) -> socket.socket:
    """A TCP connection from this host."""
    with host.inside():
        opened = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    opened.settimeout(PATIENCE)
    opened.connect((address, port))
    return opened


def read_exactly(source: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = source.recv(size - len(data))
        assert piece, f"the connection ended after {len(data)} bytes of {size}"
        data += piece
    return bytes(data)


def echoed(through: socket.socket, data: bytes) -> bytes:
    """What comes back of it; sent while it is read, since no buffer holds all of it."""
    sending = threading.Thread(target=through.sendall, args=(data,), daemon=True)
    sending.start()
    back = read_exactly(through, len(data))
    sending.join(PATIENCE)
    return back


def datagram_socket(host: Host, address: str = "::", port: int = 0) -> socket.socket:
    with host.inside():
        opened = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    opened.settimeout(PATIENCE)
    opened.bind((address, port))
    return opened


@contextlib.contextmanager
def web_server(host: Host, folder: Path, port: int, address: str = "::") -> Iterator[None]:
    """Debian's Python serving files; ends with the block."""
    command = (sys.executable, "-m", "http.server", "--bind", address, "--directory", str(folder), str(port))
    with open("/dev/null", "wb") as nowhere:
        process = host.start(*command, stdout=nowhere, stderr=nowhere)
    eventually(lambda: listens(host, port), f"the web server listens at {port}")
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def listens(host: Host, port: int) -> bool:
    return f":{port} " in host.run("ss", "-Hltn")


@contextlib.contextmanager
def iperf_server(host: Host, port: int = 5201) -> Iterator[None]:
    process = host.start("iperf3", "-s", "-p", str(port))
    eventually(lambda: listens(host, port), "iperf3 listens")
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def iperf(host: Host, address: str, *options: str) -> Any:  # noqa: ANN401 - any JSON
    """The ``end`` of its report, after one second of traffic."""
    return json.loads(host.run("iperf3", "-6", "-J", "-t", "1", "-c", address, *options))["end"]


@contextlib.contextmanager
def capture(host: Host, device: str, file: Path) -> Iterator[None]:
    """tcpdump; ``frames`` reads the file after the block."""
    with file.open("wb") as out:
        process = host.start(
            "tcpdump", "-i", device, "-Z", "root", "-U", "--immediate-mode", "-s", "0", "-w", "-", stdout=out
        )
    eventually(lambda: file.stat().st_size >= _PCAP_HEADER, "tcpdump listens")
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def frames(file: Path) -> list[bytes]:
    """All frames of a capture."""
    data, at, found = file.read_bytes(), _PCAP_HEADER, []
    while at + _RECORD.size <= len(data):
        _, _, size, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        found.append(data[at : at + size])
        at += size
    return found


class Pinging:
    """What Debian's ping, at work, has written until now."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def answers(self) -> dict[int, int]:
        """Sequence number → the hop limit that was left when the answer came."""
        found = re.findall(r"icmp_seq=(\d+) ttl=(\d+)", self._file.read_text())
        return {int(number): int(left) for number, left in found}

    def goes_on(self, seconds: float = 1.0) -> None:
        """Wait until it has had answers for so long."""
        enough = len(self.answers()) + seconds / PING_EVERY
        eventually(lambda: len(self.answers()) >= enough, "ping goes on")

    def longest_gap(self) -> float:
        """Seconds without an answer, by the numbers that are missing in a row. An unanswered end is none."""
        numbers = [0, *sorted(self.answers())]
        return max(after - before - 1 for before, after in pairwise(numbers)) * PING_EVERY


@contextlib.contextmanager
def pinging(host: Host, address: str, folder: Path) -> Iterator[Pinging]:
    """Twenty pings a second, for as long as the block lasts."""
    file = folder / f"ping-{host.name}"
    with file.open("wb") as out:
        process = host.start("ping", "-6", "-i", str(PING_EVERY), address, stdout=out, stderr=out)
    try:
        yield Pinging(file)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
