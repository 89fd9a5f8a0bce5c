"""meshd's command line, up to the point where the node runs."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from meshchain.cli.meshd import meshd
from meshchain.cli.scratch import exports, free_ports, scratch_values
from meshchain.config import load
from meshchain.rpc.client.commandline import run


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MESH_NETWORK", raising=False)
    monkeypatch.setenv("MESH_DATADIR", str(tmp_path / "data"))


def test_check_config_prints_what_would_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text('network = "dev"\nmine = "off"\n')
    argv = ["--config", str(file), "--check-config", "--mine", "auto", "--peer", "a.example:1", "--peer", "[::1]:2"]
    assert run(meshd, argv) == 0
    shown = capsys.readouterr()
    table = tomllib.loads(shown.out)
    assert table["mine"] == "auto"
    assert table["rpc"] == "127.0.0.1:29336"
    assert table["peer"] == ["a.example:1", "[::1]:2"]
    assert f"# {file}:1: network" in shown.out
    assert "# MESH_DATADIR" in shown.out
    assert not (tmp_path / "data").exists()


def test_every_option_can_be_given(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    argv = [
        "--network", "test", "--datadir", str(tmp_path), "--rpc", "[::1]:1", "--dns", "off", "--dns-forward", "9.9.9.9",
        "--p2p", "0.0.0.0:2", "--peer", "a.example:3", "--link", "udp:eth0", "--link", "tcp-listen:[::]:4",
        "--tun", "m0", "--zone", "7", "--mine", "off", "--socks", "127.0.0.1:5", "--proxy", "off", "--check-config",
    ]  # fmt: skip
    assert run(meshd, argv) == 0
    table = tomllib.loads(capsys.readouterr().out)
    assert table.pop("datadir") == str(tmp_path)
    assert table == {
        "network": "test", "rpc": "[::1]:1", "dns": "off", "dns-forward": ["9.9.9.9:53"], "p2p": "0.0.0.0:2",
        "peer": ["a.example:3"], "link": ["udp:eth0", "tcp-listen:[::]:4"], "tun": "m0", "zone": 7, "mine": "off",
        "socks": "127.0.0.1:5", "proxy": "off",
    }  # fmt: skip


def test_check_config_prints_every_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text("rcp = 1\nzone = true\n")
    assert run(meshd, ["--config", str(file), "--check-config", "--mine", "perhaps"]) == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    for problem in (f"{file}:1: rcp: unknown key", f"{file}:2: zone: it must be an integer", "--mine 'perhaps'"):
        assert problem in shown.err


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["--network", "moon"], "unknown network 'moon'"),
        (["--nonsense"], "--nonsense"),
        (["extra"], "extra"),
        (["--scratch", "--datadir", "x"], "--datadir"),
        (["--config", "/nonexistent.toml"], "/nonexistent.toml: No such file"),
        (["--network", "/nonexistent.json"], "/nonexistent.json"),
    ],
)
def test_wrong_use_ends_before_anything_starts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, argv: list[str], text: str
) -> None:
    assert run(meshd, argv) == 3
    assert text in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_example_config_loads(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(meshd, ["--example-config"]) == 0
    file = tmp_path / "example.toml"
    file.write_text(capsys.readouterr().out)
    assert run(meshd, ["--config", str(file), "--check-config"]) == 0


def test_scratch_makes_and_removes_a_datadir() -> None:
    with scratch_values() as values:
        config = load({"network": ["dev"]}, {}, scratch=values)
        folder = config.datadir.parent
        assert folder.is_dir()
        (folder / "something").write_text("x")
        assert config.tun is None
        assert config.rpc.port != config.params.ports.rpc
        assert f"MESH_DATADIR={folder} MESH_RPC=http://{config.rpc}" in exports(config)
    assert not folder.exists()


def test_free_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20


def test_help_is_quick_to_import_and_complete() -> None:
    script = (
        "import sys; from meshchain.cli.meshd import meshd; from meshchain.rpc.client.commandline import run;"
        "code = run(meshd, ['--help']); print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    for option in ("--dns-forward", "--scratch", "--check-config", "--link SPEC", "MESH_NETWORK"):
        assert option in shown.stdout
    assert not {"trio", "aiohttp", "plyvel", "rich"} & set(shown.stderr.split())
