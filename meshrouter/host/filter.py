"""The packet filter's part: one nftables table, put in place as a whole or not at all.

What a host says to its own mesh address goes to beef::, where programs on ``lo2`` and on :: get it. A program on ::
answers a datagram from the mesh address, since that is where the way to it begins; conntrack takes that answer for the
beginning of something else and gives it another port. So questions are noted, and what answers one is not tracked.

Linux is a weak host: it takes a packet for any of its addresses on any interface, and a source it would never route
back. So without ``guard`` any host on a LAN could speak, by plain IPv6, as any mesh address. The table stays when the
node stops or dies, since ``lo2`` and the programs on it stay as well.
"""

import os
import shutil
import subprocess
from typing import Final

from meshrouter.errors import LocalError
from meshrouter.host.plan import IDLE_DEVICE, HostPlan

TABLE: Final = "meshchain"
REMOVE: Final = f"table ip6 {TABLE}\ndelete table ip6 {TABLE}\n"
"""The first line makes it, so that the second cannot fail."""
_TIMEOUT: Final = 10
_MORE_PATH: Final = ":/usr/sbin:/sbin"

_RULES: Final = """\
table ip6 {table} {{
    comment "made by meshchain; `python -m meshrouter.host remove` takes it away"

    chain guard {{
        type filter hook prerouting priority raw; policy accept;
        iifname {{ "{tun}", "{idle}", "lo" }} accept comment "the mesh itself, proven by the router; and this host"
        ip6 saddr {{ eeee::/16, beef::/16 }} counter drop comment "a forged mesh source: these come by the TUN only"
        ip6 daddr {{ eeee::/16, beef::/16 }} counter drop comment "mesh addresses are not reached past the router"
    }}

    chain from_mesh {{
        type nat hook prerouting priority dstnat; policy accept;
        iifname != "{tun}" accept comment "only what comes out of the mesh is redirected"
        ip6 daddr != {{ {own} }} accept comment "groups and what is not for us"
        meta l4proto != {{ tcp, udp }} accept comment "ping is answered by the mesh address itself"
        socket wildcard {{ 0, 1 }} accept comment "a program is bound to :: or to the mesh address: it gets it"
        counter dnat to beef:: comment "else it is for the programs on {idle}"
    }}

    set answers {{
        type ipv6_addr . inet_service . inet_service; flags dynamic, timeout; timeout 3m; size 65536; \
comment "server, its port, client's port: answers that programs here may give each other"
    }}

    chain within {{
        type filter hook output priority raw; policy accept;
        ip6 saddr != {{ {own} }} accept comment "this is about datagrams from this host …"
        ip6 daddr != {{ {own} }} accept comment "… to itself"
        meta l4proto != udp accept comment "TCP answers by its connection, whatever the address was"
        ip6 saddr . udp sport . udp dport @answers update @answers {{ ip6 saddr . udp sport . udp dport }} \
notrack accept comment "a program bound to :: answers as the mesh address: not to be taken for a question"
        update @answers {{ ip6 daddr . udp dport . udp sport }} comment "a question"
    }}

    chain from_here {{
        type nat hook output priority -100; policy accept;
        ip6 daddr {{ {own} }} meta l4proto {{ tcp, udp }} counter dnat to beef:: \
comment "programs on {idle} are reached from their own host too"
    }}

    chain to_mesh {{
        type nat hook postrouting priority srcnat; policy accept;
        oifname "{tun}" ip6 saddr beef::/16 counter snat to {first} comment "the mesh knows us by our mesh address"
    }}
}}
"""


def ruleset(plan: HostPlan) -> str:
    """The file for ``nft -f``: what was before goes in the same transaction."""
    rules = _RULES.format(
        table=TABLE, tun=plan.tun, idle=IDLE_DEVICE, own=", ".join(plan.addresses), first=plan.addresses[0]
    )
    return REMOVE + rules


def run(text: str) -> None:
    """Hand a file to nft. LocalError: nft-absent, nft-failed."""
    program = shutil.which("nft", path=os.environ.get("PATH", "") + _MORE_PATH)
    if program is None:
        raise LocalError("nft-absent", "nftables is not installed (no `nft`); install it for lo2 and against forgeries")
    try:
        done = subprocess.run(
            [program, "-f", "-"], input=text, text=True, capture_output=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocalError("nft-failed", f"cannot run {program}: {error}") from None
    if done.returncode != 0:
        first = (done.stderr.strip() or "no reason given").splitlines()[0]
        raise LocalError("nft-failed", f"nft refuses the mesh's table: {first}")
