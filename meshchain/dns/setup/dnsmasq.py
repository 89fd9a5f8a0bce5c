"""dnsmasq: servers for the domains, and anchors for where it validates (dnsmasq(8), --server, --trust-anchor)."""

from pathlib import PurePosixPath

from meshchain.dns.setup.plan import Plan, Server


def plan(server: Server) -> Plan:
    lines = [f"server=/{zone}/{server.host}#{server.port}\n" for zone, _ in server.anchors()]
    lines += [f"trust-anchor={zone},{','.join(ds.split())}\n" for zone, ds in server.anchors()]
    return Plan([(PurePosixPath("/etc/dnsmasq.d/mesh.conf"), "".join(lines))], "systemctl restart dnsmasq")
