"""Links of the configuration as the router takes them."""

import pytest

from meshchain.config.links import parse_link
from meshchain.mesh.specs import link_specs
from meshrouter.links.specs import Kind, LinkSpec


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("udp:eth0", LinkSpec(kind=Kind.UDP_INTERFACE, name="udp:eth0", interface="eth0", port=3003)),
        ("udp:eth0:3010", LinkSpec(kind=Kind.UDP_INTERFACE, name="udp:eth0:3010", interface="eth0", port=3010)),
        ("ethernet:eth0", LinkSpec(kind=Kind.ETHERNET, name="ethernet:eth0", interface="eth0")),
        ("udp:192.0.2.1:9", LinkSpec(kind=Kind.UDP_PEER, name="udp:192.0.2.1:9", host="192.0.2.1", port=9)),
        ("udp-listen:[::]:9", LinkSpec(kind=Kind.UDP_LISTEN, name="udp-listen:[::]:9", host="::", port=9)),
        ("tcp:node.example:9", LinkSpec(kind=Kind.TCP_PEER, name="tcp:node.example:9", host="node.example", port=9)),
        ("tcp-listen:[::1]:9", LinkSpec(kind=Kind.TCP_LISTEN, name="tcp-listen:[::1]:9", host="::1", port=9)),
    ],
)
def test_every_kind_of_link_reaches_the_router(text: str, spec: LinkSpec) -> None:
    (found,) = link_specs([parse_link(text)])
    assert found == spec
    assert LinkSpec.from_json(found.to_json()) == spec


def test_no_link_given_is_udp_everywhere_and_none_is_none() -> None:
    assert [spec.kind for spec in link_specs(None)] == [Kind.EVERYWHERE]
    assert link_specs([parse_link("none")]) == []
    assert link_specs([]) == []
