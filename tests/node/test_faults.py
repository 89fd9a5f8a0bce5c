"""What can be wrong with a node's machine: each fault has a clear message, and nothing is lost."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshchain.ledger import params
from meshchain.rpc.client.errors import ClientError
from tests.node.conftest import Launch
from tests.node.registering import drafts
from tests.node.running import Running
from tests.waiting import eventually


def refusal(launch: Launch, datadir: Path, *options: str) -> str:
    """The message of a node that ends by itself, with exit code 1."""
    node = launch(datadir, *options)
    assert node.ended() == 1, node.log()
    assert "Traceback" not in node.log()
    return node.log()


def test_a_datadir_in_use_is_refused_by_its_lock(tmp_path: Path, launch: Launch) -> None:
    datadir = tmp_path / "node"
    first = launch(datadir).wait()
    message = refusal(launch, datadir)
    assert f"process {first.process.pid}" in message
    assert "--datadir" in message
    first.kill()
    second = launch(datadir).wait()  # the file is still there, the lock is not
    assert second.stop() == 0


def test_another_networks_ledger_is_refused(tmp_path: Path, launch: Launch) -> None:
    datadir = tmp_path / "node"
    assert launch(datadir).wait().stop() == 0
    table: dict[str, Any] = json.loads(params._genesis_text())["dev"]
    table["consensus"]["expiry"] += 1
    own = tmp_path / "own.json"
    own.write_text(json.dumps(table))
    message = refusal(launch, datadir, "--network", str(own))
    assert "another network" in message


def test_a_damaged_ledger_is_refused_and_left_alone(tmp_path: Path, launch: Launch) -> None:
    datadir = tmp_path / "node"
    node = launch(datadir).wait()
    node.call("generate", 3)
    assert node.stop() == 0
    manifest = next((datadir / "dev" / "ledger").glob("MANIFEST-*"))
    manifest.write_bytes(b"\0" * 64)
    before = sorted(file.name for file in (datadir / "dev" / "ledger").iterdir())
    assert "damaged" in refusal(launch, datadir)
    assert manifest.name in before


def test_a_bad_node_key_is_refused(tmp_path: Path, launch: Launch) -> None:
    datadir = tmp_path / "node"
    (datadir / "dev").mkdir(parents=True)
    (datadir / "dev" / "node.key").write_text("not a key")
    message = refusal(launch, datadir)
    assert "node.key" in message
    assert (datadir / "dev" / "node.key").read_text() == "not a key"


def test_a_taken_rpc_port_is_named(tmp_path: Path, launch: Launch) -> None:
    first = launch(tmp_path / "one").wait()
    address = first.client.url.removeprefix("http://").rstrip("/")
    assert address in refusal(launch, tmp_path / "two", "--rpc", address)
    assert first.stop() == 0


def test_the_node_key_outlives_restarts(tmp_path: Path, launch: Launch) -> None:
    keys = set()
    for _ in range(2):
        node = launch(tmp_path / "node").wait()
        keys.add(node.call("mesh_identity")["key"])
        assert node.stop() == 0
    assert len(keys) == 1
    assert (tmp_path / "node" / "dev" / "node.key").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small file system here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.root
def test_a_full_disk_is_an_alarm_and_an_end_of_it(small_disk: Path, launch: Launch) -> None:
    node = launch(small_disk / "node").wait()
    promised = node.call("queueoperation", drafts(node, "before", 1))
    fill = small_disk / "fill"
    with fill.open("wb", buffering=0) as file:
        assert queue_until_refused(node, file.fileno()) == "disk-full"
    eventually(lambda: "store" in alarms(node), "the alarm stands")
    fill.unlink()
    eventually(lambda: "store" not in alarms(node), "the alarm is over")
    node.call("queueoperation", drafts(node, "after", 2))
    for name in ("before", "after"):
        eventually(lambda name=name: confirmed(node, name), f"{name} is confirmed")  # type: ignore[misc]
    assert node.call("checkchain")["ok"]
    assert promised
    assert node.stop() == 0


def queue_until_refused(node: Running, file: int) -> str:
    """Fill the disk and go on queueing (the store may have room in files it holds already); the refusal's code."""
    for number in range(10, 500):
        occupy(file)
        try:
            node.call("queueoperation", drafts(node, f"name-{number}", number))
        except ClientError as error:
            return error.code
    raise AssertionError("a full disk refused nothing")


def occupy(file: int) -> None:
    """Take whatever room is left."""
    for size in (1 << 20, 4096):
        try:
            while os.write(file, bytes(size)) == size:
                pass
        except OSError:
            continue


def alarms(node: Running) -> list[str]:
    return [alarm["code"] for alarm in node.call("getnetworkinfo")["warnings"]]


def confirmed(node: Running, name: str) -> bool:
    try:
        node.call("name_show", name)
    except ClientError:
        return False
    return True
