"""A router's answers: from the state of real machines to JSON."""

from ipaddress import IPv6Address

import pytest

from meshchain.ledger.errors import LocalError
from meshrouter.directory import Role
from meshrouter.neighbours.neighbour import INFINITY
from tests.router.control.kit import MeshRouter, Pair

LINE = ("ab", "bc", "cd")


@pytest.fixture
def router() -> MeshRouter:
    return MeshRouter(*LINE)


def code(router: MeshRouter, method: str, **params: object) -> str:
    with pytest.raises(LocalError) as refused:
        router.ask(method, params)
    return refused.value.code


def test_neighbours(router: MeshRouter) -> None:
    router.me.neighbours["b"].cost = INFINITY
    router.me.neighbours["b"].notes["replay"] = 2
    router.net.now = 7.0
    (row,) = router.ask("neighbours", {})["neighbours"]
    assert (row["name"], row["role"], row["link"], row["medium"], row["mtu"]) == (
        "b",
        "member",
        "virtual:0",
        "virtual",
        1500,
    )
    assert (row["cost"], row["rtt_ms"], row["up_s"], row["notes"]) == (None, 2.0, 7.0, {"replay": 2})
    assert row["key"] == router.net["b"].key.hex()
    assert row["ip6"].startswith("eeee:")


def test_routes_a_page_at_a_time(router: MeshRouter) -> None:
    rows = router.ask("routes", {})["routes"]
    assert [row["name"] for row in rows] == ["b", "c", "d"], "the nearest first"
    assert [row["metric"] for row in rows] == [96, 192, 288]
    assert {row["next_hop"]["name"] for row in rows} == {"b"}
    assert router.ask("routes", {"start": 1, "count": 1}) == {"routes": [rows[1]], "total": 3}
    assert router.ask("routes", {"start": 3})["routes"] == []


def test_a_route_with_a_runner_up() -> None:
    (b, *_) = MeshRouter("ab", "bc", "ca").ask("routes", {})["routes"]
    assert b["runner_up"] == {**b["spare"], "metric": 192, "why": "metric"}


def test_sessions_the_last_used_first(router: MeshRouter) -> None:
    me, b, c = (router.net[name] for name in "abc")
    router.pairs = [
        Pair(place.key, me.env.identity.address, place.env.identity.address, used=used)
        for place, used in ((b, 1.0), (c, 2.0))
    ]
    router.net.now = 5.0
    answer = router.ask("sessions", {})
    assert [(row["name"], row["idle_s"]) for row in answer["sessions"]] == [("c", 3.0), ("b", 4.0)]
    assert answer["total"] == 2


def test_status(router: MeshRouter) -> None:
    router.me.env.counters.drop("link-replay")
    router.rules = [("drop accept tcp 22", 5)]
    status = router.ask("status", {})
    assert (status["neighbours"], status["routes"], status["forwarded"], status["uptime_s"]) == (1, 3, 12, 100.0)
    assert status["links"] == [{"name": "virtual:0", "medium": "virtual", "mtu": 1500, "up": True, "neighbours": 1}]
    assert status["off"] == [{"part": "tun", "reason": "--tun off"}]
    assert status["rules"] == [{"rule": "drop accept tcp 22", "packets": 5}]
    assert status["counters"]["link-replay"] == 1
    assert (status["name"], status["role"]) == ("a", "member")


def test_ping(router: MeshRouter) -> None:
    target = router.ask("routes", {})["routes"][2]["ip6"]
    answer = router.ask("ping", {"address": target, "seq": 9})
    assert answer == {
        "ip6": target,
        "seq": 9,
        "size": 56,
        "problem": None,
        "rtt_ms": 6.0,
        "hops_there": 3,
        "hops_back": 3,
    }
    router.net["c"].neighbours.clear()
    router.net["d"].neighbours.clear()
    assert router.ask("ping", {"address": target, "timeout": 0.5})["problem"] == "timeout"


def test_ping_oneself(router: MeshRouter) -> None:
    answer = router.ask("ping", {"address": str(IPv6Address(router.me.env.identity.address))})
    assert (answer["problem"], answer["rtt_ms"], answer["hops_there"]) == (None, 0.0, 0)


def test_traceroute(router: MeshRouter) -> None:
    router.net.teach("c", Role.GUEST)
    target = router.ask("routes", {})["routes"][2]
    answer = router.ask("traceroute", {"address": "eeee::9", "key": target["key"]})
    assert (answer["name"], answer["whole"], answer["rtt_ms"]) == ("d", True, 6.0)
    there, back = (answer[way]["steps"] for way in ("forward", "reverse"))
    assert [step["name"] for step in there] == ["a", "b", "c", "d"]
    assert [step["name"] for step in back] == ["d", "c", "b", "a"]
    assert [step["role"] for step in there] == ["member", "member", "guest", "member"]
    assert there[1]["ingress"]["neighbour"]["name"] == "a"
    assert there[1]["egress"]["neighbour"]["name"] == "c"
    assert there[0]["ingress"] is there[0]["runner_up"] is None
    assert there[1]["held_ms"] == 0.0


def test_traceroute_with_a_gap_and_one_way(router: MeshRouter) -> None:
    router.net["b"].on_probe = lambda packet, _ingress: packet
    target = router.ask("routes", {})["routes"][2]
    answer = router.ask("traceroute", {"address": target["ip6"], "reverse": False})
    assert answer["reverse"] is None
    assert not answer["whole"]
    gap = answer["forward"]["steps"][1]
    assert (gap["kind"], gap["hop"], gap["missing"], gap["reason"]) == ("gap", 1, 1, "no-report")
    assert [node["name"] for node in gap["suspects"]] == ["b"]


def test_wrong_questions(router: MeshRouter) -> None:
    assert code(router, "sing") == "no-such-method"
    assert code(router, "ping", address="nonsense") == "bad-address"
    assert code(router, "ping", address="fe80::1") == "not-mesh"
    assert code(router, "ping", address="eeee::1", size=1228) == "bad-params"
    assert code(router, "ping", address="eeee::1", seq=True) == "bad-params"
    for timeout in (0, -1, 61, "1", float("inf")):
        assert code(router, "ping", address="eeee::1", timeout=timeout) == "bad-params"
    assert code(router, "traceroute", address="eeee::1", key="00") == "bad-key"
    assert code(router, "traceroute", address="eeee::1", key="xy") == "bad-key"
    assert code(router, "traceroute", address="eeee:1::1") == "no-route"
    assert code(router, "routes", start=-1) == "bad-params"


def test_too_many_at_once(router: MeshRouter) -> None:
    target = router.ask("routes", {})["routes"][0]["ip6"]
    for number in range(100, 164):
        router.control.ask(number, "ping", {"address": target}, router.net.now)
    assert code(router, "ping", address=target) == "busy"
    assert all("result" in router.answers[number] for number in range(100, 164))
