"""systemd 258 and later: a delegate for the domains (systemd.dns-delegate(5))."""

from pathlib import PurePosixPath

from meshchain.dns.setup.anchors import systemd_anchors
from meshchain.dns.setup.plan import ZONES, Plan, Server


def plan(server: Server) -> Plan:
    text = f"[Delegate]\nDNS={server.host}:{server.port}\nDomains={' '.join(ZONES)}\nDefaultRoute=no\n"
    path = PurePosixPath("/etc/systemd/dns-delegate.d/mesh.dns-delegate")
    return Plan([(path, text), systemd_anchors(server)], "systemctl restart systemd-resolved")
