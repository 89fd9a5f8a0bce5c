"""systemd-resolved before 258: a global server with routing domains (resolved.conf(5)).

Global servers are also asked about other names, in parallel with those of the links: this node refuses those, or
forwards them with ``--dns-forward``.
"""

from pathlib import PurePosixPath

from meshchain.dns.setup.anchors import systemd_anchors
from meshchain.dns.setup.plan import ZONES, Plan, Server


def plan(server: Server) -> Plan:
    domains = " ".join(f"~{zone}" for zone in ZONES)
    text = f"[Resolve]\nDNS={server.host}:{server.port}\nDomains={domains}\n"
    path = PurePosixPath("/etc/systemd/resolved.conf.d/mesh.conf")
    return Plan([(path, text), systemd_anchors(server)], "systemctl restart systemd-resolved")
