"""kill -9 at random moments under a stream of operations: the chain reopens valid, the queue keeps its promises."""

import random
from pathlib import Path

import pytest

from meshchain.rpc.client.errors import ClientError
from tests.node.conftest import Launch
from tests.node.registering import drafts
from tests.node.running import Running
from tests.waiting import eventually


def accepted(node: Running, name: str, number: int) -> list[str]:
    """The opids that the node has promised, none if it died before it answered."""
    try:
        return list(node.call("queueoperation", drafts(node, name, number)))
    except ClientError:
        return []


def kill_loop(launch: Launch, tmp_path: Path, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    datadir = tmp_path / "node"
    promised: dict[str, str] = {}
    number = 0
    for _ in range(kills):
        node = launch(datadir).wait()
        for _ in range(rng.randint(1, 6)):
            number += 1
            name = f"name-{number}"
            promised.update(dict.fromkeys(accepted(node, name, number), name))
        if rng.random() < 0.7:  # else at once, with everything under way
            wait_for_block(node, node.call("getblockcount") + rng.randint(0, 3))
        node.kill()
    node = launch(datadir).wait()
    try:
        report = node.call("checkchain")
        assert report["ok"], report
        assert promised
        eventually(lambda: all_confirmed(node, promised), "every promised operation is confirmed")
    finally:
        assert node.stop() == 0


def wait_for_block(node: Running, height: int) -> None:
    eventually(lambda: node.call("getblockcount") >= height or idle(node), f"block {height}")


def idle(node: Running) -> bool:
    return all(item["state"] == "confirmed" for item in node.call("listqueue"))


def all_confirmed(node: Running, promised: dict[str, str]) -> bool:
    """The names themselves must be there: the queue may forget what is settled."""
    states = {item["txid"]: item for item in node.call("listqueue")}
    for opid in promised:
        state = states.get(opid, {}).get("state", "settled")
        assert state not in ("refused", "expired", "conflict-lost"), states[opid]
    names = sorted(set(promised.values()))
    shown = node.client.batch([("name_show", [name]) for name in names], refusals=True)
    return all(not isinstance(result, ClientError) for result in shown)


def test_a_few_kills(tmp_path: Path, launch: Launch) -> None:
    kill_loop(launch, tmp_path, kills=4, seed=1)


@pytest.mark.slow
def test_sixty_kills(tmp_path: Path, launch: Launch) -> None:
    kill_loop(launch, tmp_path, kills=60, seed=2)
