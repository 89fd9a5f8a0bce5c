"""The systemd unit: systemd understands it, and meshd understands what it is started with."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path("contrib/systemd/meshd.service")
PROGRAM = "/usr/local/bin/meshd"


def settings(key: str) -> list[str]:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]


def test_systemd_understands_it(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    copy = tmp_path / "meshd.service"  # with a program that exists here
    copy.write_text(UNIT.read_text(encoding="utf-8").replace(PROGRAM, sys.executable))
    verified = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    complaints = [line for line in verified.stderr.splitlines() if "meshd.service" in line]
    assert (verified.returncode, complaints) == (0, [])


def test_meshd_understands_its_options(tmp_path: Path) -> None:
    (command,) = settings("ExecStart")
    program, *options = shlex.split(command.replace("/var/lib/meshchain", str(tmp_path)))
    assert program == PROGRAM
    module = [sys.executable, "-m", "meshchain.cli.meshd"]
    checked = subprocess.run([*module, *options, "--check-config"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_it_waits_for_ready_and_holds_no_more_than_the_tun_needs() -> None:
    assert settings("Type") == ["notify"]
    assert settings("AmbientCapabilities") == settings("CapabilityBoundingSet") == ["CAP_NET_ADMIN CAP_NET_RAW"]
    assert settings("NoNewPrivileges") == ["yes"]
    assert settings("WatchdogSec") == []  # meshd does not feed one
