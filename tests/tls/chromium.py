"""Debian's Chromium, headless, with policies of a test's own: a mount namespace hides those of this machine."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_ETC = Path("/etc/chromium")
_MOUNTED = 'mount --make-rprivate / && mount --bind "$0" /etc/chromium && exec "$@"'


def skip_without() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, for a mount namespace")
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed: apt install chromium")
    if not _ETC.is_dir():
        pytest.skip(f"no {_ETC}: not Debian's chromium")


def dom(etc: Path, home: Path, address: str, *options: str) -> str:
    """The page's document, after it has loaded; nothing where a warning stands in its place.

    ``etc`` stands for /etc/chromium.
    """
    home.mkdir(parents=True, exist_ok=True)
    chromium = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    chromium += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    chromium += [f"--user-data-dir={home / 'profile'}", "--virtual-time-budget=10000", "--dump-dom", *options, address]
    ended = subprocess.run(
        ["unshare", "--mount", "sh", "-c", _MOUNTED, str(etc), *chromium],
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "HOME": str(home), "DBUS_SESSION_BUS_ADDRESS": "disabled:"},
    )
    return ended.stdout.decode(errors="replace")
