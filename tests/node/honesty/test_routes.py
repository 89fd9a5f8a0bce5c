"""Whether simulated routers tell the truth: eight real nodes and eight simulated ones, one tree, equal routes.

The same keys own the same names in the same chain, which all begin with; then a block revokes one of them. Before and
after it every node of both worlds must have the same tip, know the same others, think the same of them, and lead to
them by the same neighbours. A tree, so that the kernel's clock has no say in which way is the best.

::

    n0 -- n1 -- n2 -- n3        n2 is revoked: n3, n6 and n7 are out of reach then
           |     |
          n4    n6 -- n7
           |
          n5

The real ones are processes of their own with UDP links on loopback, LevelDB, trio, and no TUN. They take 15 to 30 s.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, Protocol

import pytest

from meshchain.ledger import params
from meshchain.ledger.block import Block
from meshchain.ledger.chain.chain import Chain
from meshchain.ledger.store.leveldb import LevelStore
from meshchain.node import LEDGER_FOLDER
from meshchain.service.nodekey import FILE_NAME
from meshchain.sim.mesh import MeshNode, MeshWorld
from meshrouter.routing.route import Route
from tests.node.conftest import Launch
from tests.node.honesty.courier import Courier
from tests.node.running import Running
from tests.waiting import eventually, free_port

TREE: Final = ((0, 1), (1, 2), (2, 3), (1, 4), (4, 5), (2, 6), (6, 7))
"""(who listens, who calls)."""
NAMES: Final = tuple(f"n{number}" for number in range(8))
REVOKED: Final = "n2"
PATIENCE: Final = 120.0

Way = tuple[str, str, str]
"""(name of the destination, its role, name of the next hop)."""
State = dict[str, tuple[str, list[Way]]]
"""Of every node: tip and ways."""


class Both(Protocol):
    """A network of the eight."""

    def state(self) -> State: ...

    def come_to(self, condition: Callable[[State], bool]) -> State:
        """Wait for it."""

    def deliver(self, block: Block) -> None:
        """All hear of a block that revokes n2, but maybe n2 itself."""


class Simulated:
    """The world makes the keys, the names and the chain; ``before`` are the rows of its stores."""

    def __init__(self) -> None:
        self.world = MeshWorld(1, params=params.load("dev"))
        self.world.found(NAMES)
        self.before = dict(self.world.scribe.store().items(b""))
        self._name_of = {node.key: name for name, node in self.world.nodes.items()}
        for listener, caller in TREE:
            self.world.ether(NAMES[listener], NAMES[caller], shared=False)
        self.world.start()

    def state(self) -> State:
        return {name: (node.tip_id.hex(), self._ways(node)) for name, node in self.world.nodes.items() if node.mesh}

    def _ways(self, node: MeshNode) -> list[Way]:
        return sorted(self._way(node, route) for route in node.router.routing.routes.values())

    def _way(self, node: MeshNode, route: Route) -> Way:
        role = node.router.directory.role(route.key).name.lower()
        return self._name_of[route.key], role, self._name_of[route.next_hop.key]

    def come_to(self, condition: Callable[[State], bool]) -> State:
        assert self.world.run_until(lambda: condition(self.state()), PATIENCE), self.world.story()
        return self.state()

    def deliver(self, block: Block) -> None:
        """Gossip goes over the mesh, and n2 is cut off at once: each part of what is left must be told."""
        for name in ("n0", "n3", "n7"):
            self.world.publish(block, at=name)


class Real:
    """Processes, with the keys and the rows of the simulated nodes."""

    def __init__(self, launch: Launch, folder: Path, like: Simulated) -> None:
        self._gossip = [free_port() for _ in NAMES]
        ports = {listener: _udp_port() for listener, _ in TREE}
        self._nodes: dict[str, Running] = {}
        self._name_of = {node.key.hex(): name for name, node in like.world.nodes.items()}
        self._chain = like.world.scribe.chain
        for number, name in enumerate(NAMES):
            datadir = folder / name
            _prepare(datadir / "dev", like.world.nodes[name].seed, like.before)
            options = ("--mine", "off", "--tun", "off", *_links(number, ports))
            self._nodes[name] = launch(datadir, *options, p2p=f"127.0.0.1:{self._gossip[number]}")
        for node in self._nodes.values():
            node.wait()

    def state(self) -> State:
        return {name: (node.call("getbestblockhash"), self._ways(node)) for name, node in self._nodes.items()}

    def _ways(self, node: Running) -> list[Way]:
        listed = node.call("mesh_routes", 0, 100)
        return sorted((self._named(form), form["role"], self._named(form["next_hop"])) for form in listed)

    def _named(self, form: dict[str, str]) -> str:
        return self._name_of[form["key"]]

    def come_to(self, condition: Callable[[State], bool]) -> State:
        eventually(lambda: condition(self.state()), "all have come to it", PATIENCE)
        return self.state()

    def deliver(self, block: Block) -> None:
        """Without TUNs gossip goes by TCP beside the mesh: telling one is enough."""
        assert self._chain.tip.id == block.header.id
        with Courier(self._gossip[0], self._chain) as courier:
            courier.bring()


def _prepare(folder: Path, seed: bytes, rows: dict[bytes, bytes]) -> None:
    """As if a node with this key had been here."""
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_text(seed.hex() + "\n")
    (folder / FILE_NAME).chmod(0o600)
    with closing(LevelStore(folder / LEDGER_FOLDER)) as store:
        store.write(rows)


def _links(number: int, ports: dict[int, int]) -> Iterator[str]:
    if number in ports:
        yield from ("--link", f"udp-listen:127.0.0.1:{ports[number]}")
    for listener, caller in TREE:
        if caller == number:
            yield from ("--link", f"udp:127.0.0.1:{ports[listener]}")


def _udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def play(network: Both, chain: Chain, block: Block) -> tuple[State, State]:
    """Everybody finds everybody; then the block."""
    whole = network.come_to(lambda state: len(state) == 8 and all(len(ways) == 7 for _, ways in state.values()))
    network.deliver(block)
    left = {"n0": 3, "n1": 3, "n2": 0, "n3": 0, "n4": 3, "n5": 3, "n6": 1, "n7": 1}
    cut = network.come_to(
        lambda state: (
            all(len(ways) == left[name] for name, (_, ways) in state.items())
            and all(state[name][0] == chain.tip.id.hex() for name in NAMES if name != REVOKED)
        )
    )
    return whole, cut


@pytest.fixture(scope="module")
def simulated() -> Simulated:
    return Simulated()


@pytest.fixture(scope="module")
def block(simulated: Simulated) -> Block:
    """Revokes one name."""
    scribe = simulated.world.scribe
    (made,) = scribe.mine_all([scribe.revoke(REVOKED)])
    return made


@pytest.fixture(scope="module")
def states(simulated: Simulated, block: Block) -> tuple[State, State]:
    return play(simulated, simulated.world.scribe.chain, block)


def test_simulated_routes_are_those_of_the_tree(states: tuple[State, State]) -> None:
    whole, cut = states
    assert whole["n0"][1] == [(name, "member", "n1") for name in NAMES[1:]]
    assert {name: hop for name, _, hop in whole["n6"][1]}["n0"] == "n2"
    assert cut["n0"][1] == [(name, "member", "n1") for name in ("n1", "n4", "n5")]
    assert cut["n6"][1] == [("n7", "member", "n7")]


@pytest.mark.slow
def test_real_nodes_have_the_same_routes(
    simulated: Simulated, block: Block, states: tuple[State, State], launch: Launch, tmp_path: Path
) -> None:
    real = Real(launch, tmp_path, simulated)
    whole, cut = play(real, simulated.world.scribe.chain, block)
    assert whole == states[0]
    assert {name: ways for name, (_, ways) in cut.items()} == {name: ways for name, (_, ways) in states[1].items()}
