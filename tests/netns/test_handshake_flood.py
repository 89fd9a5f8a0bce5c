"""Ten thousand first messages a second from strangers on the wire, in real time: those who know each other go on."""

import random
import re
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from meshchain.crypto.address import node_id
from meshrouter.handshake import Initiation
from meshrouter.identity import Identity
from meshrouter.neighbours.answering import PROLOGUE
from meshrouter.wire import frame as frames
from meshrouter.wire.handshake import LinkPayload
from tests.netns.host import Host, Lab, needs_program, needs_root
from tests.netns.nodes import MeshNode
from tests.waiting import eventually

pytestmark = [*needs_root, pytest.mark.slow, needs_program("ping")]

RATE = 10_000
SECONDS = 10
STRANGERS = 500
ETHERTYPE = bytes.fromhex("88b5")


def first_messages(key: bytes, genesis: bytes, count: int) -> list[bytes]:
    """INITs with true codes, as anybody can make who has heard a BEACON: every one costs its receiver a handshake."""
    rng = random.Random(1)
    made: list[bytes] = []
    while len(made) < count:
        seed = rng.randbytes(32)
        stranger = Identity.from_seed(seed)
        payload = LinkPayload(stranger.key, 1, 0, 0).encode()
        begun = Initiation(stranger, key, PROLOGUE + genesis, payload, rng.getrandbits(32) | 1, rng)
        made.append(frames.clear(frames.INIT, begun.message()))
    return made


def flood(attacker: Host, target: bytes, messages: Sequence[bytes], seconds: float) -> int:
    """Send them from ever other MACs, RATE a second; how many were sent."""
    with attacker.inside():
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        raw.bind(("eth0", 0))
    rng, sent, began = random.Random(2), 0, time.monotonic()
    with raw:
        while (elapsed := time.monotonic() - began) < seconds:
            for _ in range(max(0, int(elapsed * RATE) - sent)):
                source = b"\x02" + rng.randbytes(5)
                raw.send(target + source + ETHERTYPE + messages[sent % len(messages)])
                sent += 1
            time.sleep(0.001)  # to be on time, not to wait for anything
    return sent


def mac_of(host: Host) -> bytes:
    found = re.search(r"link/ether ([0-9a-f:]{17})", host.run("ip", "link", "show", "eth0"))
    assert found is not None
    return bytes.fromhex(found[1].replace(":", ""))


def test_established_traffic_goes_on(lab: Lab, tmp_path: Path) -> None:
    left, right, attacker = lab.switch("left", "right", "attacker")
    nodes = [MeshNode(host, tmp_path, "--link", "ethernet:eth0", "--mine", "off") for host in (left, right)]
    for node in nodes:
        node.wait()
    victim = nodes[1]
    eventually(lambda: victim.has_neighbours(1), "they are neighbours")
    eventually(lambda: nodes[0].pings(victim.address), "they talk")
    identity, genesis = victim.call("mesh_identity"), bytes.fromhex(victim.call("getblockhash", 0))
    assert node_id(bytes.fromhex(identity["key"])) is not None
    messages = first_messages(bytes.fromhex(identity["key"]), genesis, STRANGERS)
    sent: list[int] = []
    attack = threading.Thread(target=lambda: sent.append(flood(attacker, mac_of(right), messages, SECONDS)))
    attack.start()
    said = left.run("ping", "-6", "-q", "-i", "0.01", "-c", str(100 * (SECONDS - 1)), victim.address, timeout=60)
    attack.join()
    lost = re.search(r"([\d.]+)% packet loss", said)
    counters = victim.call("mesh_status")["counters"]
    print(f"\n  {sent[0]:,} first messages in {SECONDS} s; {said.splitlines()[-2]}; {said.splitlines()[-1]}")
    print("  " + ", ".join(f"{name} {count:,}" for name, count in sorted(counters.items()) if count > 100))
    assert sent[0] > 0.9 * RATE * SECONDS, "this machine could not send so many"
    assert lost is not None
    assert float(lost[1]) < 1.0
    assert victim.neighbours() < 20, "few strangers got in"
    assert "loop-fault" not in counters
