"""Split DNS: the files by which a machine's resolver asks this node for .mesh and for addresses of the mesh.

One module a resolver, each with ``plan``. resolv.conf is never touched. Files begin with ``MARK``: only such files
are replaced or removed.
"""

from collections.abc import Callable, Mapping
from typing import Final

from meshchain.dns.setup import delegate, dnsmasq, resolved, unbound
from meshchain.dns.setup.plan import MARK, Plan, Server, SetupError, apply, undo

__all__ = ["MARK", "PLANS", "Plan", "Server", "SetupError", "apply", "undo"]

PLANS: Final[Mapping[str, Callable[[Server], Plan]]] = {
    "systemd-delegate": delegate.plan,
    "systemd-resolved": resolved.plan,
    "dnsmasq": dnsmasq.plan,
    "unbound": unbound.plan,
}
