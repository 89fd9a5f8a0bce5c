"""A host that knows nobody but its neighbour becomes a part of the mesh, by the mesh alone.

a – b – c – d, a and b with names, c and d new. No cable carries IP, so whatever c and d learn comes by the TUN. c is a
guest: nothing passes through it, and d reaches nobody but c. c registers its name; from then on d reaches a through it.
All the while a connection between a and c is open, and its bytes come through.
"""

from functools import partial
from pathlib import Path

from tests.netns.host import Lab, needs_program, needs_root
from tests.netns.meshes import line_options, mesh
from tests.netns.nodes import MeshNode
from tests.netns.traffic import connected, echo_server, echoed
from tests.waiting import eventually

pytestmark = [*needs_root, needs_program("ping")]


def test_a_guest_joins_registers_and_forwards_while_its_connections_last(
    lab: Lab, registered: Path, tmp_path: Path
) -> None:
    hosts = lab.line("a", "b", "c", "d")
    for host in hosts:
        host.without_ip("left", "right")
    options = line_options("ethernet", "a", "b", "c", "d")
    with (
        mesh(lab, tmp_path, registered, {name: options[name] for name in "ab"}) as old,
        echo_server(old.hosts["a"], 22),
    ):
        a, b = old.of("a", "b")
        height = a.call("getblockcount")
        c, d = (MeshNode(host, tmp_path, *options[host.name]) for host in hosts[2:])
        for node in (c, d):
            eventually(partial(node.wait().has_block, height), "the ledger came over the mesh")
            assert not node.is_member()
        eventually(partial(c.pings, a.address), "the guest is reached")
        assert d.pings(c.address)
        assert not d.pings(a.address), "a guest carries nothing for others"
        with connected(c.host, a.address, 22) as stream:
            assert echoed(stream, b"as a guest") == b"as a guest"
            c.register("carol")
            for node in (a, b, c, d):
                eventually(partial(node.has_block, height + 2), "both blocks of the name")
            assert c.is_member()
            eventually(partial(d.pings, a.address), "what was a guest forwards")
            assert echoed(stream, b"as a member") == b"as a member"
        assert a.ctl_json("ping", "-c", "1", "carol.mesh")["received"] == 1
        trace = d.ctl_json("traceroute", "a.mesh")
        assert [step["name"] for step in trace["forward"]["steps"]] == [None, "carol", "b", "a"]
        assert trace["forward"]["steps"][0]["role"] == "guest"
        for node in (c, d):
            assert node.stop() == 0
