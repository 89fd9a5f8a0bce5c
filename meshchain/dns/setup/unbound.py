"""unbound: stub zones with their anchors (unbound.conf(5)). It must be told that a server may be on this machine."""

from pathlib import PurePosixPath

from meshchain.dns.setup.plan import Plan, Server


def plan(server: Server) -> Plan:
    zones = server.anchors()
    head = 'server:\n  do-not-query-localhost: no\n  local-zone: "e.e.e.e.ip6.arpa." nodefault\n'
    anchors = "".join(f'  trust-anchor: "{zone}. DS {ds}"\n' for zone, ds in zones)
    stubs = "".join(f'stub-zone:\n  name: "{zone}."\n  stub-addr: {server.host}@{server.port}\n' for zone, _ in zones)
    path = PurePosixPath("/etc/unbound/unbound.conf.d/mesh.conf")
    return Plan([(path, head + anchors + stubs)], "systemctl restart unbound")
