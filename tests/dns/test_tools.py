"""What Debian's programs say of the server: dig, delv, unbound, ldns-verify-zone, against real sockets."""

import base64
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

from tests.dns.lab import Served, served

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("dig", "delv", "unbound", "ldns-verify-zone"))),
    reason="needs Debian's bind9-dnsutils, unbound and ldnsutils",
)

QUESTIONS = [
    ("alice.mesh", "AAAA", "positive"),
    ("x.y.wild.alice.mesh", "TXT", "wildcard"),
    ("alice.mesh", "SRV", "no data"),
    ("_tcp.alice.mesh", "TLSA", "empty non-terminal"),
    ("x.wild.alice.mesh", "A", "no data at a wildcard"),
    ("nobody.mesh", "AAAA", "no name"),
    ("a.b.nobody.mesh", "AAAA", "no name"),
    ("nothing.alice.mesh", "AAAA", "no name"),
    ("www.alice.mesh", "AAAA", "alias"),
    ("x.old.alice.mesh", "TXT", "dname"),
    ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.e.e.e.e.ip6.arpa", "PTR", "reverse"),
    ("2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.e.e.e.e.ip6.arpa", "PTR", "no address"),
]
ABSENT = ("no data", "empty non-terminal", "no data at a wildcard", "no name", "no address")
ZONES = ("mesh.", "e.e.e.e.ip6.arpa.")


def anchor(lab: Served, zone: str) -> str:
    """flags, protocol, algorithm, key in base64."""
    key = lab.service.engine.signer.key.dnskey
    return f"{int.from_bytes(key[:2], 'big')} {key[2]} {key[3]} {{quote}}{base64.b64encode(key[4:]).decode()}{{quote}}"


def bind_keys(lab: Served) -> str:
    keys = (f"{zone} static-key {anchor(lab, zone).format(quote=chr(34))};" for zone in ZONES)
    return "trust-anchors { " + " ".join(keys) + " };\n"


async def test_delv_validates_every_kind_of_answer(tmp_path: Path) -> None:
    async with served(tmp_path, now=time.time()) as lab:
        (tmp_path / "keys").write_text(bind_keys(lab))
        for name, kind, what in QUESTIONS:
            root = "+root=mesh" if name.endswith("mesh") else "+root=e.e.e.e.ip6.arpa"
            said = await lab.program(
                "delv", "@127.0.0.1", "-p", str(lab.service.port), "-a", str(tmp_path / "keys"), root, name, kind
            )
            expected = "; negative response, fully validated" if what in ABSENT else "; fully validated"
            assert expected in said, f"{what}: {said}"


async def test_delv_finds_a_forgery(tmp_path: Path) -> None:
    """The other key is of the same zone: nothing may validate."""
    (tmp_path / "other").mkdir()
    async with served(tmp_path, now=time.time()) as lab, served(tmp_path / "other", now=time.time()) as other:
        (tmp_path / "keys").write_text(bind_keys(other))
        said = await lab.program(
            "delv", "@127.0.0.1", "-p", str(lab.service.port), "-a", str(tmp_path / "keys"), "+root=mesh", "alice.mesh"
        )
        assert "resolution failed" in said


@asynccontextmanager
async def unbound(lab: Served, folder: Path) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """A resolver that asks the lab for its zones and validates; yields dig against it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    stubs = "".join(f'stub-zone:\n  name: "{zone}"\n  stub-addr: 127.0.0.1@{lab.service.port}\n' for zone in ZONES)
    keys = "".join(f"  trust-anchor: '{zone} DNSKEY {anchor(lab, zone).format(quote='')}'\n" for zone in ZONES)
    config = folder / "unbound.conf"
    config.write_text(
        f"""server:
  interface: 127.0.0.1
  port: {port}
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  module-config: "validator iterator"
  local-zone: "e.e.e.e.ip6.arpa." nodefault
  domain-insecure: "example.org."
{keys}remote-control:
  control-enable: no
{stubs}"""
    )
    async with trio.open_nursery() as nursery:
        quiet = partial(trio.run_process, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        await nursery.start(quiet, ["unbound", "-d", "-c", str(config)])

        async def dig(*words: str) -> str:
            return await lab.program("dig", "@127.0.0.1", "-p", str(port), "+tries=1", "+time=3", *words)

        with trio.fail_after(30):
            while "status: NOERROR" not in await dig("alice.mesh", "AAAA"):  # noqa: ASYNC110 - a process of another
                await trio.sleep(0.05)
        yield dig
        nursery.cancel_scope.cancel()


async def test_unbound_validates_every_kind_of_answer(tmp_path: Path) -> None:
    async with served(tmp_path, now=time.time()) as lab, unbound(lab, tmp_path) as dig:
        for name, kind, what in QUESTIONS:
            said = await dig("+dnssec", name, kind)
            status = "NXDOMAIN" if what in ("no name", "no address") else "NOERROR"
            assert f"status: {status}" in said, f"{what}: {said}"
            assert " ad" in said.partition("flags:")[2].partition(";")[0], f"{what}: {said}"


async def test_the_transferred_zone_verifies(tmp_path: Path) -> None:
    async with served(tmp_path, now=time.time()) as lab:
        zone = await lab.dig("+onesoa", "+noall", "+answer", "mesh", "AXFR")
        (tmp_path / "zone").write_text(zone)
        assert "Zone is verified and complete" in await lab.program("ldns-verify-zone", str(tmp_path / "zone"))
        broken = zone.replace('"hello"', '"hullo"')
        (tmp_path / "zone").write_text(broken)
        assert "Bogus" in await lab.program("ldns-verify-zone", str(tmp_path / "zone"))


async def test_dig_over_udp_and_tcp(tmp_path: Path) -> None:
    async with served(tmp_path, now=time.time()) as lab:
        for transport in ("+notcp", "+tcp"):
            assert await lab.dig("+short", transport, "alice.mesh", "AAAA") == "eeee::1\n"
        said = await lab.dig("alice.mesh", "AAAA")
        assert "(good)" in said, "the cookie"
