"""meshctl's commands about the router, over a real one's answers."""

import pytest

from meshchain.cli.commands.ping import spread
from meshchain.cli.commands.traceroute import meshtraceroute
from meshchain.rpc.client.commandline import run
from meshrouter.directory import Binding, Role
from meshrouter.neighbours.neighbour import INFINITY
from tests.cli.conftest import Shell
from tests.router.control.kit import MeshRouter, Pair
from tests.rpc.people import settle_bob


@pytest.fixture
def router(shell: Shell) -> MeshRouter:
    settle_bob(shell.node)
    assert shell.node.router is not None
    return shell.node.router


def words(line: str) -> str:
    return " ".join(line.split())


def test_neighbours(shell: Shell, router: MeshRouter) -> None:
    router.me.neighbours["b"].loss = 0.25
    router.net.now = 7.0
    head, row = shell.text("neighbours").splitlines()
    key = router.net["b"].key.hex()[:16]
    assert words(head).startswith("name key role link at rtt ms loss queue ms cost up in kB out kB")
    assert words(row) == f"b.mesh {key}… member virtual:0 - 2.00 25 % 0 96 7 s 0.0 0.0"
    assert shell.text("neighbors") == shell.text("neighbours")
    router.me.neighbours["b"].cost = INFINITY
    router.net.teach("b", Role.GUEST)
    assert " down " in shell.text("neighbours")
    router.me.directory.told_binding(Binding(router.net["b"].key))
    assert words(shell.text("neighbours").splitlines()[1]).startswith(f"- {key}… guest ")
    assert words(shell.text("routes").splitlines()[1]).startswith(f"- {key}… 96 {key}… ")
    assert shell.json("neighbors")["neighbours"][0]["cost"] is None
    router.me.neighbours.clear()
    assert shell.text("neighbours") == "no neighbours\n"


def test_routes(shell: Shell, router: MeshRouter) -> None:
    rows = shell.text("routes").splitlines()
    assert [words(row).split()[0] for row in rows] == ["to", "b.mesh", "c.mesh", "d.mesh"]
    assert words(rows[3]).endswith("288 b.mesh virtual:0 -")
    assert len(shell.json("routes")["routes"]) == 3


def test_a_routes_runner_up(shell: Shell) -> None:
    shell.node.router = MeshRouter("ab", "bc", "ca")
    assert words(shell.text("routes").splitlines()[1]).endswith("b.mesh virtual:0 c.mesh (192, metric)")


def test_sessions(shell: Shell, router: MeshRouter) -> None:
    assert shell.text("sessions") == "no sessions\n"
    me, d = router.me.env.identity.address, router.net["d"].env.identity
    router.pairs = [Pair(d.key, me, d.address)]
    assert words(shell.text("sessions").splitlines()[1]).endswith(" up 1392 0 s 0 s 0.3 0.4")
    (row,) = shell.json("sessions")["sessions"]
    assert (row["name"], row["packets_in"]) == ("d", 3)


def test_ping(shell: Shell, router: MeshRouter) -> None:
    text = shell.text("ping", "bob", "-c", "2", "-i", "0")
    first, one, two, title, counts, times = text.splitlines()
    assert first.startswith("PING bob.mesh (eeee:")
    assert first.endswith("): 56 bytes")
    assert (one, two) == ("seq 1: 6.00 ms, 3 hops", "seq 2: 6.00 ms, 3 hops")
    assert title == "--- bob ping statistics ---"
    assert counts == "2 sent, 2 received, 0 % lost"
    assert times == "rtt min 6.00, avg 6.00, max 6.00, mdev 0.00 ms"


def test_ping_as_a_document(shell: Shell, router: MeshRouter) -> None:
    document = shell.json("ping", "phone.bob.mesh", "-i", "0", "-s", "1000")
    assert (document["name"], document["sent"], document["received"], document["loss"]) == ("phone.bob", 4, 4, 0.0)
    assert document["rtt_ms"] == {"min": 2.0, "avg": 2.0, "max": 2.0, "mdev": 0.0}
    assert [reply["seq"] for reply in document["replies"]] == [1, 2, 3, 4]
    assert document["replies"][0]["size"] == 1000


def test_ping_without_an_answer(shell: Shell, router: MeshRouter) -> None:
    router.net["d"].delivered = lambda packet: None
    code, out = shell.run("ping", "bob", "-c", "1", "-W", "0.5")
    assert code == 1
    assert "seq 1: no answer within 0.5 s" in out
    assert "1 sent, 0 received, 100 % lost" in out
    assert "rtt" not in out


def test_ctrl_c_ends_a_ping_with_its_summary(shell: Shell, router: MeshRouter, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def interrupt(seconds: float) -> None:
        calls.append(seconds)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("meshchain.cli.commands.ping.time.sleep", interrupt)
    text = shell.text("ping", "bob", "-c", "100")
    assert "2 sent, 2 received" in text
    assert 0 < calls[1] <= 1


def test_pings_errors(shell: Shell, router: MeshRouter) -> None:
    assert shell.error("ping", "nobody")[:2] == (1, "name-not-found")
    assert shell.error("ping", "fe80::1")[:2] == (1, "not-mesh")
    assert shell.error("ping", "bob", "-c", "0")[0] == 3
    shell.node.router = None
    assert shell.error("ping", "bob")[:2] == (1, "router-off")
    shell.server.stop()
    assert shell.error("ping", "bob")[0] == 2


def test_the_spread_of_times() -> None:
    assert spread([1.0, 3.0]) == {"min": 1.0, "avg": 2.0, "max": 3.0, "mdev": 1.0}
    assert spread([]) is None


def test_traceroute(shell: Shell, router: MeshRouter) -> None:
    text = shell.text("traceroute", "bob")
    title, _, head, *rows = text.splitlines()
    assert title.endswith(": 3 hops, back after 6.00 ms, every report signed and checked")
    assert words(head) == "hop name key role link rtt ms loss queue ms mtu cost next hop runner-up"
    assert [words(row).split()[:2] for row in rows[:4]] == [[str(n), f"{name}.mesh"] for n, name in enumerate("abcd")]
    assert words(rows[1]).endswith("member virtual 2.00 0 % 0 1500 96 c.mesh -")
    assert words(rows[3]).endswith("member - - - - - - - -"), "what it sends back by is the other way's"
    assert rows[5] == "and back:"
    assert [words(row).split()[1] for row in rows[8:]] == ["d.mesh", "c.mesh", "b.mesh", "a.mesh"]


def test_a_gap_is_a_line_where_it_is(shell: Shell, router: MeshRouter) -> None:
    router.net["b"].on_probe = lambda packet, _ingress: packet
    text = shell.text("traceroute", "bob", "--one-way")
    key = router.net["b"].key.hex()[:16]
    lines = text.splitlines()
    assert "with gaps" in lines[0]
    assert lines[4] == f"  *  gap: b.mesh [{key}…], 1 hop missing, passed the probe on and did not report"
    assert words(lines[5]).startswith("2 c.mesh")
    assert "and back" not in text


def test_a_target_that_is_not_reached(shell: Shell, router: MeshRouter) -> None:
    router.net["d"].corrupt = lambda packet: None
    code, out = shell.run("traceroute", "bob")
    assert code == 1
    assert "not reached" in out
    assert "gap: d.mesh" in out
    assert not shell.run("traceroute", "bob", "--json")[1].startswith("to ")


def test_meshtraceroute_is_the_same_program(
    shell: Shell, router: MeshRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = shell.text("traceroute", "bob", "--one-way")
    assert run(meshtraceroute, ["bob", "--one-way"]) == 0
    assert capsys.readouterr().out == expected
    assert run(meshtraceroute, ["--help"]) == 0
    assert "Usage: meshtraceroute " in capsys.readouterr().out
    assert run(meshtraceroute, []) == 3


def test_status_tells_of_the_router(shell: Shell, router: MeshRouter) -> None:
    router.rules = [("drop accept tcp 22", 5)]
    router.me.env.counters.drop("link-replay")
    text = shell.text("status")
    assert "router   1 neighbour on 1 link, 3 routes, 0 sessions, forwards" in text
    for part in ("tun off: --tun off", "rule drop accept tcp 22: 5 packets", "dropped: link-replay 1"):
        assert part in text
    assert shell.json("status")["router"]["routes"] == 3
    shell.node.router = None
    assert "router   not running" in shell.text("status")
    assert shell.json("status")["router"] is None
