"""What a service manager is told, and one that does not listen."""

import socket
from pathlib import Path

import pytest

from meshchain.service.systemd import notify


def test_a_manager_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        notify("READY=1")
        assert manager.recv(100) == b"READY=1"


@pytest.mark.parametrize("path", ["/no/such/socket", "/" + "x" * 200])
def test_a_manager_that_is_not_there_ends_nothing(
    path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    notify("READY=1")
    shown = capsys.readouterr()
    assert "systemd cannot be told" in shown.out + shown.err
