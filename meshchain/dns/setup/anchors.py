"""The trust anchors in the form that systemd-resolved reads (dnssec-trust-anchors.d(5)).

The root proves that there is no mesh.: without an anchor a validating resolver takes every answer for a lie.
"""

from pathlib import PurePosixPath

from meshchain.dns.setup.plan import Server


def systemd_anchors(server: Server) -> tuple[PurePosixPath, str]:
    lines = (f"{zone}. IN DS {ds}\n" for zone, ds in server.anchors())
    return PurePosixPath("/etc/dnssec-trust-anchors.d/mesh.positive"), "".join(lines)
