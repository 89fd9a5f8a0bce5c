"""A real meshd in a process of its own, and what a test does to it."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, Self

from meshchain.rpc.client.connection import Client
from meshchain.rpc.client.errors import ClientError
from tests.waiting import PATIENCE, eventually, free_port

_SHIFTED = (
    sys.executable,
    "-c",
    """import sys, time
real, ahead = time.time, float(sys.argv.pop(1))
time.time = lambda: real() + ahead
from meshchain.cli.meshd import main
main()""",
)
"""meshd with another wall clock; the first argument says how far ahead."""


class Running:
    """``meshd --network dev`` on ``datadir``; ``options`` are added to its command line, ``name`` is the network's.

    ``clock``: seconds by which its wall clock is ahead of this machine's.
    """

    def __init__(self, datadir: Path, *options: str, p2p: str = "off", name: str = "dev", clock: float = 0.0) -> None:
        self.datadir = datadir
        self._log: IO[bytes] = (datadir.parent / f"{datadir.name}.log").open("ab")
        port = free_port()
        network = () if "--network" in options else ("--network", "dev")
        fixed: tuple[str, ...] = ("--datadir", str(datadir), "--rpc", f"127.0.0.1:{port}", "--p2p", p2p)
        if "--dns" not in options:
            fixed += ("--dns", "off")
        if not any(option in ("--link", "--tun") for option in options):
            fixed += ("--link", "none", "--tun", "off")  # this machine's links are nothing to tests of the ledger
        program = (sys.executable, "-m", "meshchain.cli.meshd") if not clock else (*_SHIFTED, str(clock))
        self.process = subprocess.Popen([*program, *network, *fixed, *options], stderr=self._log)
        self.client = Client(f"http://127.0.0.1:{port}/", datadir / name / ".cookie")

    def wait(self) -> "Running":
        """Until RPC answers."""
        eventually(self._answers, "the node answers")
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"the node ended: {self.log()}"
        try:
            self.client.call("getblockcount")
        except ClientError:
            return False
        return True

    def call(self, method: str, *arguments: Any) -> Any:  # noqa: ANN401 - any JSON
        return self.client.call(method, *arguments)

    def kill(self) -> None:
        """As a power cut for the process: SIGKILL."""
        self.process.kill()
        self._end()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        """Exit code of a node that ends by itself."""
        code = self.process.wait(PATIENCE)
        self._end()
        return code

    def _end(self) -> None:
        self.process.wait()
        self.client.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def log(self) -> str:
        return (self.datadir.parent / f"{self.datadir.name}.log").read_text(errors="replace")
