"""Whether the simulator tells the truth: one script, eight real nodes and eight simulated ones, one end.

The same blocks and operations come in at the same nodes. All sixteen must hold, after every step, the same tip and the
same mempool, and at the end, byte for byte, the same ledger: that of whoever made the blocks.

The real ones take 10 to 20 s, half of it for starting eight processes.
"""

from pathlib import Path

import pytest

from tests.node.conftest import Launch
from tests.node.honesty.real import RealNetwork
from tests.node.honesty.script import COUNT, Script, rows
from tests.node.honesty.simulated import SimulatedNetwork


@pytest.fixture(scope="module")
def script() -> Script:
    return Script()


def test_eight_simulated_nodes(script: Script) -> None:
    assert script.play(SimulatedNetwork(seed=1)) == [rows(script.last.chain.store)] * COUNT


@pytest.mark.slow
def test_eight_real_nodes(script: Script, launch: Launch, tmp_path: Path) -> None:
    assert script.play(RealNetwork(launch, tmp_path)) == [rows(script.last.chain.store)] * COUNT
