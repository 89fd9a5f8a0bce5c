"""hsd from npm, in regtest: installed once into the user's cache, its chain filled with our names."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from bench.dns.servers import Server, running
from meshchain.cli.scratch import free_ports

VERSION: Final = "8.0.0"
PORT: Final = 25349
"""Of its name server in regtest."""
_FILLER: Final = Path(__file__).with_name("fill_hsd.js")


class Unavailable(Exception):  # noqa: N818 - of this machine, no fault
    """hsd cannot be measured here; the text says what to do."""


def installed() -> Path:
    """The package's folder; the first time npm builds it, which takes a minute."""
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing:
        raise Unavailable(f"apt install {' '.join(missing).replace('node', 'nodejs', 1)}")
    home = user_cache_path("meshchain-bench") / f"hsd-{VERSION}"
    package = home / "node_modules" / "hsd"
    if not (home / "complete").exists():
        print(f"installing hsd {VERSION} into {home} …", file=sys.stderr)
        home.mkdir(parents=True, exist_ok=True)
        _run("npm", "install", "--no-audit", "--no-fund", "--prefix", str(home), f"hsd@{VERSION}")
        (home / "complete").touch()
    return package


@contextmanager
def hsd(folder: Path, names: Path) -> Iterator[Server]:
    """With every name of the file ``names``. Its answers go without SIG(0), which makes it faster."""
    package = installed()
    _check_port()
    _run("node", str(_FILLER), str(package), str(folder), str(names))
    [rpc] = free_ports(1)
    off = ("--no-wallet", "--no-rs", "--no-auth", "--no-sig0", "--log-console", "false", "--log-file", "false")
    where = ("--network", "regtest", "--prefix", str(folder), "--ns-port", str(PORT), "--http-port", str(rpc))
    command = ["node", str(package / "bin" / "hsd"), *where, *off]
    with running(command, PORT, rpc, names.read_text().split()[-1]) as server:
        yield server


def _check_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            raise Unavailable(f"end what uses port {PORT}") from None


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["without a word"]
        raise Unavailable(f"{' '.join(command[:2])} fails: {lines[-1]}")
