"""``meshctl dns``: anchors and configuration of a running server, written, removed, accepted by the resolvers."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from meshchain.dns.setup import MARK, PLANS, Server, SetupError, apply, undo
from tests.dns.lab import Served, served

SERVER = Server("127.0.0.1", 5336, ["1 13 2 " + "AB" * 32, "1 13 2 " + "CD" * 32])


async def meshctl(lab: Served, *words: str) -> str:
    main = "from meshchain.cli.meshctl import main; main()"
    server = ("--server", f"127.0.0.1:{lab.service.port}")
    return await lab.program(sys.executable, "-c", main, "--network", "dev", "dns", *words, *server)


async def test_anchor_setup_and_test(tmp_path: Path) -> None:
    async with served(tmp_path, now=1_800_000_000) as lab:
        key = lab.service.engine.signer.key
        anchor = await meshctl(lab, "anchor")
        assert f"mesh. IN DS {key.tag} 13 2 {key.ds((b'mesh',))[4:].hex()}" in anchor
        assert "e.e.e.e.ip6.arpa. IN DNSKEY 257 3 13" in anchor
        root = tmp_path / "root"
        (root / "etc/unbound").mkdir(parents=True)
        printed = await meshctl(lab, "setup", "--root", str(root))
        assert "stub-addr: 127.0.0.1@" in printed
        assert not (root / "etc/unbound/unbound.conf.d").exists()
        assert "wrote" in await meshctl(lab, "setup", "--root", str(root), "--apply")
        config = root / "etc/unbound/unbound.conf.d/mesh.conf"
        if shutil.which("unbound-checkconf"):
            assert "no errors" in await lab.program("unbound-checkconf", str(config))
        assert "removed" in await meshctl(lab, "setup", "--root", str(root), "--undo")
        assert not config.exists()
        assert "nothing to remove" in await meshctl(lab, "setup", "--root", str(root), "--undo")
        trials = json.loads(await meshctl(lab, "test", "--json"))
        assert [row["serial"] for row in trials["trials"][:2]] == [1, 1]
        assert not trials["ok"], "this machine's resolver does not know of the lab"


async def test_nobody_listens(tmp_path: Path) -> None:
    async with served(tmp_path, now=0) as lab:
        lab.service.port = 1
        assert "no DNS server answers at 127.0.0.1:1" in await meshctl(lab, "anchor")


@pytest.mark.parametrize("name", PLANS)
def test_files_are_written_and_removed_and_others_are_left_alone(name: str, tmp_path: Path) -> None:
    plan = PLANS[name](SERVER)
    written = apply(plan, tmp_path)
    assert [path.read_text() for path in written] == [MARK + text for _, text in plan.files]
    assert apply(plan, tmp_path) == written, "again"
    assert all("5336" in text or "DS" in text for _, text in plan.files)
    assert any("AB" * 32 in text for _, text in plan.files), "the anchor"
    assert not (tmp_path / "etc/resolv.conf").exists()
    assert undo(plan, tmp_path) == written
    assert not any(path.exists() for path in written)
    written[0].write_text("mine\n")
    for change in (apply, undo):
        with pytest.raises(SetupError, match="not written by this command"):
            change(plan, tmp_path)
    assert written[0].read_text() == "mine\n"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file")
    with pytest.raises(SetupError) as caught:
        apply(PLANS["unbound"](SERVER), tmp_path)
    assert caught.value.code == "setup-write"
