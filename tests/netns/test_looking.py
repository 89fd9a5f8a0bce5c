"""Looking at the mesh: meshctl, meshtraceroute, and the kernel's own means."""

from typing import Any

import pytest

from tests.netns.host import CommandError, needs_program, needs_root
from tests.netns.meshes import Mesh
from tests.waiting import eventually

pytestmark = [*needs_root]


def names(path: dict[str, Any]) -> list[str]:
    return [step["name"] for step in path["steps"]]


def measured(trace: dict[str, Any]) -> dict[str, Any]:
    """Empty while a neighbour on the way is so new that no round trip to it is known."""
    steps = [step for path in ("forward", "reverse") for step in trace[path]["steps"][:-1]]
    return trace if all(step["egress"]["rtt_ms"] is not None for step in steps) else {}


def test_traceroute_shows_every_hop_both_ways(line: Mesh) -> None:
    a, c = line.of("a", "c")
    trace = eventually(lambda: measured(a.ctl_json("traceroute", "c.mesh")), "every link is measured")
    assert trace["whole"]
    assert trace["ip6"] == c.address
    assert names(trace["forward"]) == ["a", "b", "c"]
    assert names(trace["reverse"]) == ["c", "b", "a"]
    for path in (trace["forward"], trace["reverse"]):
        assert path["reached"]
        assert all(step["kind"] == "hop" and len(step["key"]) == 64 for step in path["steps"])
        for step, following in zip(path["steps"], path["steps"][1:], strict=False):
            out = step["egress"]
            assert out["neighbour"]["name"] == following["name"]
            assert out["medium"] == "ethernet"
            assert (out["mtu"], out["loss"]) == (1500, 0.0)
            assert out["cost"] >= 96
            assert out["rtt_ms"] > 0
            assert {"queue_ms"} <= out.keys()
            assert step["runner_up"] is None  # on a line there is no other way


def test_the_program_meshtraceroute_is_the_same(line: Mesh) -> None:
    a, c = line.of("a", "c")
    shown = a.meshctl("traceroute", c.address)
    assert "every report signed and checked" in shown
    assert "and back" in shown


def test_traceroute_to_nobody_is_an_error(line: Mesh) -> None:
    (a,) = line.of("a")
    for command in ("traceroute", "ping"):
        with pytest.raises(CommandError, match="nobody"):
            a.meshctl(command, "nobody.mesh")


def test_neighbours_routes_sessions_and_ping(line: Mesh) -> None:
    a, b, c = line.of("a", "b", "c")
    a.pings(c.address)
    neighbours = b.ctl_json("neighbours")["neighbours"]
    assert {(each["name"], each["link"], each["role"]) for each in neighbours} == {
        ("a", "ethernet:left", "member"),
        ("c", "ethernet:right", "member"),
    }
    routes = {each["name"]: each for each in a.ctl_json("routes")["routes"]}
    assert {name: route["next_hop"]["name"] for name, route in routes.items()} == {"b": "b", "c": "b"}
    assert routes["c"]["metric"] > routes["b"]["metric"]
    sessions = {(each["own"], each["peer"]): each for each in a.ctl_json("sessions")["sessions"]}
    assert sessions[a.address, c.address]["state"] == "up"
    ping = a.ctl_json("ping", "-c", "2", "c.mesh")
    assert (ping["sent"], ping["received"], ping["ip6"]) == (2, 2, c.address)
    assert {reply["hops_there"] for reply in ping["replies"]} == {2}


@needs_program("ping")
def test_the_kernel_can_trace_too(line: Mesh) -> None:
    a, b, c = line.of("a", "b", "c")
    said = a.host.run("ping", "-6", "-t", "1", "-c", "1", "-W", "3", c.address, check=False)
    assert f"From {b.address}" in said
    assert "Time exceeded" in said
    assert a.pings(c.address, "-t", "2")
    nowhere = a.host.run("ping", "-6", "-c", "1", "-W", "5", "eeee:1234::1", check=False)
    assert f"From {a.address}" in nowhere
    assert "unreachable" in nowhere


def test_status_and_counters_say_that_all_is_well(line: Mesh) -> None:
    for node in line.nodes.values():
        status = node.call("mesh_status")
        assert status["off"] == []
        assert status["tun"] == "mesh0"
        assert "loop-fault" not in status["counters"]
        assert node.ctl_json("status")["node"]["warnings"] == []
