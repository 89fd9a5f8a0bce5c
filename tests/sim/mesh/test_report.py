"""meshsim's measures on networks of which the answer is known, and the command around them."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meshchain.cli.meshsim import meshsim, text
from meshchain.rpc.client.commandline import run
from meshchain.sim.mesh import topology
from meshchain.sim.mesh.simulation import Plan, Simulation
from meshchain.sim.mesh.topology import Edge, Topology
from tests.waiting import eventually

KEYS = [
    "nodes", "links", "seconds", "seed", "delivery", "cold_start_s", "loops", "control_bytes_per_node_second",
    "stretch", "cpu_seconds", "max_rss_bytes",
]  # fmt: skip


def simulate(
    shape: Topology, *, seconds: float = 5.0, guests: float = 0.0, lossy: bool = False, probes: int = 20
) -> Simulation:
    return Simulation(Plan(topology=shape, seconds=seconds, seed=1, guests=guests, lossy=lossy, probes=probes))


def test_two_halves_are_measured_for_themselves() -> None:
    """Pairs that the graph does not connect are nobody's failure."""
    report = simulate(Topology(5, (Edge(0, 1), Edge(2, 3), Edge(3, 4)))).run()
    assert report["delivery"]["final"] == 1.0
    assert report["stretch"]["max"] == 1.0
    assert list(report) == KEYS
    assert list(report["cold_start_s"]) == ["90", "99.5", "100"]
    assert json.loads(json.dumps(report)) == report


def test_a_network_without_links_delivers_nothing_and_says_so() -> None:
    report = simulate(Topology(3, ())).run()
    assert report["delivery"] == {"curve": [], "final": None}
    assert report["cold_start_s"] == {"90": None, "99.5": None, "100": None}
    assert report["stretch"] == {"mean": None, "p95": None, "max": None}
    assert "nothing to deliver" in text(report)


def test_guests_count_as_ends_and_not_as_ways() -> None:
    """A member lets a new guest of its own through every 2 s, so all of them take a while."""
    simulation = simulate(topology.made("random", 12, 1), seconds=16.0, guests=0.5)
    report = simulation.run()
    guests = [node for node in simulation.nodes if not node.router.plane.forwards]
    assert len(guests) == 6
    assert report["delivery"]["final"] == 1.0
    assert not any(node.router.plane.forwarded for node in guests)


def test_a_network_that_delivers_nothing_shows_it() -> None:
    simulation = simulate(topology.made("line", 4, 1))
    for ether in simulation.world.ethers[1:2]:
        ether.cut()
    report = simulation.run()
    assert 0 < report["delivery"]["final"] < 0.8
    assert report["cold_start_s"]["90"] is None


def test_lossy_links_lose() -> None:
    shape = Topology(2, (Edge(0, 1, 0.6, 1.0),))
    whole, lossy = (simulate(shape, lossy=lossy) for lossy in (False, True))
    whole.run()
    lossy.run()
    (kept,), (losing,) = whole.world.ethers, lossy.world.ethers
    assert kept.lost == 0
    assert 0.1 < losing.lost / losing.frames < 0.35, "a way out of two loses 40 %"


def test_probes_are_no_control() -> None:
    """As much of it, however many pairs are probed."""
    few, many = (
        Simulation(Plan(topology=topology.made("grid", 9, 1), seconds=8.0, seed=1, probes=probes)).run()
        for probes in (2, 100)
    )
    one, other = (report["control_bytes_per_node_second"]["mean"] for report in (few, many))
    assert one > 10
    assert abs(one - other) < 0.05 * one


def test_a_detour_is_a_stretch() -> None:
    """A ring of six whose survey believes in a link that the nodes do not have."""
    ring = Topology(6, tuple(Edge(number, (number + 1) % 6) for number in range(6)))
    simulation = simulate(ring, probes=200)
    simulation.world.ethers[5].cut()
    report = simulation.run()
    assert report["delivery"]["final"] == 1.0
    assert report["stretch"]["max"] == 5.0
    assert report["stretch"]["mean"] > 1.2


# --- the command ---------------------------------------------------------------------------------------------


def test_the_command_prints_one_document(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(meshsim, ["--nodes", "4", "--topology", "line", "--seconds", "3", "--json"]) == 0
    out, err = capfd.readouterr()
    report = json.loads(out)
    assert (report["nodes"], report["links"], report["seconds"], report["seed"]) == (4, 3, 3.0, 1)
    assert err == "", "no bar without a terminal"


def test_the_command_reads_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"nodes": [{"id": 1}, {"id": 2}], "links": [{"source": 1, "target": 2}]}))
    assert run(meshsim, ["--topology", str(path), "--seconds", "3", "--loss", "tq"]) == 0
    assert capfd.readouterr().out.startswith("2 nodes, 1 links, 3 s, seed 1\n")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--topology", "circle"], "one of grid, line, tree, random or a FILE.json"),
        (["--topology", "/none.json"], "cannot read /none.json"),
        (["--nodes", "1"], "2 to"),
        (["--guests", "1.5"], "0 to 1"),
        (["--guests", "nan"], "0 to 1"),
        (["--seconds", "inf"], "2 to"),
        (["--loss", "tq"], "a FILE"),
        (["--nodes", "many"], "not a valid integer"),
        (["--loss", "some"], "not one of"),
    ],
)
def test_wrong_use_is_explained(words: list[str], why: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(meshsim, words) == 3
    assert why in capfd.readouterr().err
    assert run(meshsim, [*words, "--json"]) == 3
    assert why in json.loads(capfd.readouterr().out)["error"]["message"]


def test_ctrl_c_ends_it_at_once_and_quietly() -> None:
    command = [sys.executable, "-m", "meshchain.cli.meshsim", "--nodes", "200", "--seconds", "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            eventually(lambda: _hundredths_used(process.pid) > 150, "it simulates: the handler is there")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (130, "", "\n")


def _hundredths_used(pid: int) -> int:
    """Of a second of CPU time, in user mode."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11])
