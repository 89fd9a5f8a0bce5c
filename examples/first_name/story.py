"""What is shown, step by step: a name, a second host that finds it, and what programs make of it."""

import base64
import json
from pathlib import Path
from typing import Final

from examples.first_name import screen
from examples.first_name.hosts import Host, Pair
from examples.first_name.programs import installed

NAME: Final = "alice.mesh"
HELLO: Final = "hello from alice.mesh"
_MESH_ONLY: Final = "beef::"
_TLSA: Final = f"_443._tcp.{NAME}"
_PAGE: Final = ("python", "-m", "examples.first_name.page")


def tell(pair: Pair, folder: Path) -> None:
    """All of it; FailedError where a step does not do what it should."""
    alice, bob = pair.alice, pair.bob
    _begin(alice)
    _register(alice)
    _join(alice, bob, "an Ethernet cable to alice's, and no IP on it" if pair.tun else "a UDP link to alice's")
    _ping(bob, tun=pair.tun)
    _dig(bob)
    if pair.tun:
        _page(alice, bob)
    files = _publish(alice, folder / "tls")
    if pair.tun:
        _secure_page(alice, bob, files, folder / "authority.crt")
    else:
        _pinned_page(alice, bob, files)


def _begin(alice: Host) -> None:
    screen.step("alice's host starts a node, of the network dev: trivial work, blocks at once")
    alice.start_node()


def _register(alice: Host) -> None:
    screen.step(f"alice registers {NAME} with a wallet of her own: name → key of her node → IPv6 address")
    alice.type("meshwallet", "register", NAME, "--wait")
    screen.step("what the ledger says of it, over JSON-RPC")
    screen.typed(alice.name, ("meshctl", "rpc", "name_show", NAME))
    screen.said(json.dumps(alice.json("meshctl", "rpc", "name_show", NAME), indent=2))


def _join(alice: Host, bob: Host, way: str) -> None:
    screen.step(f"a second host, bob's, starts a node that knows nobody. All it has is {way}")
    bob.start_node()
    bob.until("meshctl", "show", NAME, what="the ledger comes over the mesh", beside=alice)
    bob.until("meshctl", "ping", "-c", "1", NAME, what="the way to alice is found", beside=alice)
    screen.step("it has found its neighbour, proven by its key, and has the ledger from there, checked")
    bob.type("meshctl", "neighbours")


def _ping(bob: Host, *, tun: bool) -> None:
    if tun and installed("ping"):
        screen.step(f"any program on bob's host reaches {NAME}, sealed from end to end with the keys of the two nodes")
        bob.type("ping", "-c", "3", "-i", "0.5", NAME)
        return
    screen.step(f"bob's node pings {NAME}, sealed from end to end with the keys of the two nodes")
    bob.type("meshctl", "ping", "-c", "3", NAME)


def _dig(bob: Host) -> None:
    screen.step("bob's node is a DNS server, too, and answers from its own copy of the ledger")
    if installed("dig"):
        bob.answer("dig", *bob.dig, NAME, "AAAA", "+noall", "+answer", expected=NAME)
    else:
        bob.answer("meshctl", "resolve", NAME, expected=NAME)


def _page(alice: Host, bob: Host) -> None:
    screen.step("alice serves a page at beef::, which is reached over the mesh and from nowhere else")
    alice.serve(*_PAGE, _address(alice), "80")
    _curl(bob, f"http://{NAME}/")


def _address(alice: Host) -> str:
    """Where a server listens for the mesh; where there is no nftables, and so no ``lo2``, it has to be everywhere."""
    if alice.holds(_MESH_ONLY):
        return _MESH_ONLY
    screen.said("(without nftables there is no beef:: here, so it is :: instead)")
    return "::"


def _publish(alice: Host, folder: Path) -> list[str]:
    """Certificate and key, which the ledger vouches for."""
    screen.step("alice makes a key and a certificate for TLS, and publishes in the ledger what vouches for them")
    words = ("meshwallet", "tls", NAME, "--out", str(folder), "--wait")
    screen.typed(alice.name, words)
    made = alice.json(*words)
    screen.said(made["says"])
    return [made["certificate"], made["key"]]


def _secure_page(alice: Host, bob: Host, files: list[str], authority: Path) -> None:
    """By the node's proxy, as browsers go."""
    alice.serve(*_PAGE, _address(alice), "443", *files)
    screen.step("bob's node judges the server by the ledger")
    bob.type("meshctl", "tls", "check", NAME)
    screen.step("curl goes by the proxy of bob's node, as browsers can. The proxy checks just that, and shows them")
    screen.said("a certificate of an authority that was made on bob's host and holds for .mesh alone")
    proxy = f"http://{bob.proxy}"
    if installed("curl"):
        bob.type("curl", f"{proxy}/authority.crt", "--output", str(authority), silent=True)
    _curl(bob, "--proxy", proxy, "--cacert", str(authority), f"https://{NAME}/")


def _pinned_page(alice: Host, bob: Host, files: list[str]) -> None:
    """Without a TUN nothing leads to the address; the server is on loopback, and curl is told the key."""
    where = alice.serve(*_PAGE, "127.0.0.1", "0", *files).split("//")[1].rstrip("/")
    screen.step("bob's node judges the server by the ledger. Without a TUN device --connect leads there")
    bob.type("meshctl", "tls", "check", NAME, "--connect", where)
    screen.step("curl trusts no authority here, but the key alone whose hash bob's node has from the ledger")
    there = ("--connect-to", f"{NAME}:443:{where}")
    _curl(bob, "--insecure", "--pinnedpubkey", _pin(bob), *there, f"https://{NAME}/")


def _pin(bob: Host) -> str:
    """The TLSA record, ``3 1 1 HASH``, as curl writes it."""
    found = bob.json("meshctl", "resolve", _TLSA, "TLSA")
    digest = found["answer"][0]["data"].split()[3]
    return "sha256//" + base64.b64encode(bytes.fromhex(digest)).decode()


def _curl(bob: Host, *words: str) -> None:
    """Where it is not installed, say so."""
    if installed("curl"):
        bob.answer("curl", *words, expected=HELLO)
    else:
        screen.said("(curl would show the page, but is not installed: apt install curl)")
