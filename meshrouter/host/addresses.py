"""Addresses and routes of the mesh on this host, by rtnetlink (pyroute2). Everything may be there already.

* the TUN has no link-local address (addrgenmode none): nothing but mesh addresses speaks on it;
* own addresses are /128, without duplicate detection, which has no answer to wait for there. Beside a claimed address
  the derived one is deprecated (preferred lifetime 0): programs speak from the claimed one, and both are answered;
* ``eeee::/16`` goes to the TUN; ``unreachable eeee::/16`` with the worst metric takes over while there is none, or it
  would follow the default route, in clear, to strangers;
* ``multicast ff18:eeee::/32`` beats the kernel's ff00::/8 of whichever interface came up first.
"""

import errno
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from meshrouter.errors import LocalError
from meshrouter.host.plan import GROUP_MTU, GROUPS, IDLE_DEVICE, LOOPBACK, MESH, MOST_SUPER, MTU, HostPlan

_FOREVER: Final = 0xFFFFFFFF
_WORST_METRIC: Final = 0xFFFFFFFE
_METRIC: Final = 1024
_NODAD, _NOPREFIXROUTE = 0x02, 0x200
_GENERATE_NONE: Final = 1
_UNICAST: Final = 1
_TABLE_MAIN, _TABLE_LOCAL = 254, 255
_OURS: Final = ("eeee:", "beef:")


def set_up(plan: HostPlan) -> None:
    """The TUN and the permanent routes. LocalError: host-device, host-permission, host-route, host-ipv6."""
    with IPRoute() as route:
        tun = _device(route, plan.tun)
        _refuse_other_owner(route, tun)
        _ready(route, tun, MTU)
        preferred = plan.addresses[0]
        _set_addresses(route, tun, plan.addresses, preferred)
        _replace_route(route, dst=MESH, type="unreachable", priority=_WORST_METRIC)
        _replace_route(route, dst=MESH, oif=tun, priority=_METRIC, table=_TABLE_MAIN)
        limit = {"mtu": GROUP_MTU}
        _replace_route(
            route, dst=GROUPS, oif=tun, type="multicast", table=_TABLE_LOCAL, priority=_METRIC // 8, metrics=limit
        )


def set_up_loopback() -> None:
    """``lo2`` with beef::. LocalError as set_up."""
    with IPRoute() as route:
        idle = _device(route, IDLE_DEVICE)
        _ready(route, idle, MTU)
        _set_addresses(route, idle, (LOOPBACK,), LOOPBACK)


def remove() -> None:
    """``lo2`` and the permanent route: what stays when a node stops. Nothing there is nothing wrong."""
    with IPRoute() as route:
        for index in route.link_lookup(ifname=IDLE_DEVICE):
            _ask(route.link, "del", index=index)
        try:
            _ask(route.route, "del", family=socket.AF_INET6, dst=MESH, type="unreachable", priority=_WORST_METRIC)
        except LocalError as error:
            if error.code != "host-absent":
                raise


def _device(route: IPRoute, name: str) -> int:
    found = route.link_lookup(ifname=name)
    if not found:
        raise LocalError("host-device", f"there is no device {name}; was it removed?")
    return int(found[0])


def _refuse_other_owner(route: IPRoute, tun: int) -> None:
    """A second node in this namespace would take the first one's packets. LocalError (host-taken)."""
    for each in route.route("dump", family=socket.AF_INET6):
        other = each.get_attr("RTA_OIF")
        if f"{each.get_attr('RTA_DST')}/{each['dst_len']}" != MESH or each["type"] != _UNICAST or other == tun:
            continue
        link = route.get_links(other)[0]
        if link.get_attr("IFLA_CARRIER"):
            name = link.get_attr("IFLA_IFNAME")
            message = f"another node of this host has the mesh on {name}; only one can, run this with --tun off"
            raise LocalError("host-taken", message)


def _ready(route: IPRoute, index: int, mtu: int) -> None:
    generation = {"attrs": [("IFLA_INET6_ADDR_GEN_MODE", _GENERATE_NONE)]}
    _ask(route.link, "set", index=index, IFLA_AF_SPEC={"attrs": [("AF_INET6", generation)]})
    _ask(route.link, "set", index=index, mtu=mtu, IFLA_GSO_MAX_SIZE=MOST_SUPER, state="up")


def _set_addresses(route: IPRoute, index: int, wanted: Sequence[str], preferred: str) -> None:
    """Exactly these of ours; the kernel keeps connections of those that stay."""
    there = [each.get_attr("IFA_ADDRESS") for each in route.get_addr(family=socket.AF_INET6, index=index)]
    for address in there:
        if address.startswith(_OURS) and address not in wanted:
            _ask(route.addr, "del", index=index, address=address, prefixlen=128)
    for address in wanted:
        _ask(
            route.addr,
            "replace",
            index=index,
            address=address,
            prefixlen=128,
            family=socket.AF_INET6,
            IFA_FLAGS=_NODAD | _NOPREFIXROUTE,
            IFA_CACHEINFO={"ifa_preferred": _FOREVER if address == preferred else 0, "ifa_valid": _FOREVER},
        )


def _replace_route(route: IPRoute, **what: object) -> None:
    _ask(route.route, "replace", family=socket.AF_INET6, **what)


def _ask(call: Callable[..., object], command: str, **what: object) -> None:
    """One request; the kernel's refusal in words."""
    try:
        call(command, **what)
    except NetlinkError as error:
        raise _explained(error, what) from None


def _explained(error: NetlinkError, what: Mapping[str, object]) -> LocalError:
    subject = what.get("address") or what.get("dst") or "the device"
    if error.code == errno.EPERM:
        return LocalError("host-permission", f"may not set up {subject}: root or CAP_NET_ADMIN is needed")
    if error.code == errno.EACCES:
        message = f"cannot set up {subject}: IPv6 is off here (sysctl net.ipv6.conf.all.disable_ipv6)"
        return LocalError("host-ipv6", message)
    if error.code == errno.ESRCH:
        return LocalError("host-absent", f"there is no {subject}")
    return LocalError("host-route", f"cannot set up {subject}: {error}")
