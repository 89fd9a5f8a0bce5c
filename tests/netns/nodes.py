"""Whole nodes on hosts made of namespaces: real meshd, its router, its TUN, and the clients that people use."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from meshchain.rpc.client.connection import Client
from meshchain.rpc.client.errors import ClientError
from tests.netns.host import Host
from tests.waiting import PATIENCE, eventually

RPC: Final = 29336
_ENVIRONMENT: Final = {"MESH_WALLET_PASSPHRASE": "", "PYTHONUNBUFFERED": "1"}


class MeshNode:
    """``meshd --network dev`` on a host, its datadir under ``folder``; no gossip but over the mesh, unless ``options``
    say otherwise."""

    def __init__(self, host: Host, folder: Path, *options: str, name: str = "", rpc: int = RPC) -> None:
        self.host = host
        self.name = name or host.name
        self.datadir = folder / self.name
        self._options = options
        self._log = folder / f"{self.name}.log"
        self._client = Client(f"http://127.0.0.1:{rpc}/", self.datadir / "dev" / ".cookie")
        self.process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        """Also again, after ``kill`` or ``stop``."""
        command = (sys.executable, "-m", "meshchain.cli.meshd", "--network", "dev", "--datadir", str(self.datadir))
        with self._log.open("ab") as log:
            self.process = self.host.start(*command, *self._options, stderr=log)

    def wait(self) -> "MeshNode":
        """Until RPC answers and a router has come up."""
        eventually(self._answers, f"{self.name} answers")
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"{self.name} has ended:\n{self.log()}"
        try:
            self.call("mesh_status")
        except ClientError:
            return False
        return True

    def call(self, method: str, *arguments: Any) -> Any:  # noqa: ANN401 - any JSON
        with self.host.inside():
            try:
                return self._client.call(method, *arguments)
            finally:
                self._client.close()

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def router_pid(self) -> int:
        """Its process number; meshd's child starts it. 0 while there is none."""
        launchers = _children(self.process.pid)
        routers = [pid for each in launchers for pid in _children(each)]
        return routers[0] if routers else 0

    # --- what people type ----------------------------------------------------------------------------------

    def meshctl(self, *arguments: str, check: bool = True, timeout: float = PATIENCE) -> str:
        return self._client_program("meshchain.cli.meshctl", *arguments, check=check, timeout=timeout)

    def ctl_json(self, *arguments: str) -> Any:  # noqa: ANN401
        return json.loads(self.meshctl(*arguments, "--json"))

    def wallet(self, *arguments: str, check: bool = True, timeout: float = PATIENCE) -> str:
        return self._client_program("wallet.main", *arguments, check=check, timeout=timeout)

    def wallet_json(self, *arguments: str) -> Any:  # noqa: ANN401
        return json.loads(self.wallet(*arguments, "--json"))

    def register(self, name: str | None = None, *options: str) -> None:
        """The node becomes the primary host of a name, which is confirmed when this returns."""
        self.wallet("register", name or self.name, "--wait", *options)

    def _client_program(self, module: str, *arguments: str, check: bool, timeout: float) -> str:
        where = (f"MESH_DATADIR={self.datadir}", "MESH_NETWORK=dev", *(f"{k}={v}" for k, v in _ENVIRONMENT.items()))
        return self.host.run("env", *where, sys.executable, "-m", module, *arguments, check=check, timeout=timeout)

    # --- what tests look at --------------------------------------------------------------------------------

    @property
    def address(self) -> str:
        """Its derived mesh address."""
        return str(self.call("mesh_identity")["ip6"])

    def neighbours(self) -> int:
        return int(self.call("mesh_status")["neighbours"])

    def has_neighbours(self, count: int) -> bool:
        return self.neighbours() == count

    def has_block(self, height: int) -> bool:
        return int(self.call("getblockcount")) >= height

    def is_member(self) -> bool:
        return not self.call("mesh_identity")["guest"]

    def knows_names_of(self, *others: "MeshNode") -> bool:
        """Whether it has routes to them, and has asked the ledger who they are."""
        return {other.name for other in others} <= {route["name"] for route in self.call("mesh_routes")}

    def pings(self, address: str, *options: str, timeout: float = PATIENCE) -> bool:
        """Debian's ping, through the kernel and the TUN: once a second until an answer or an error comes, for 5 s."""
        return self.host.succeeds("ping", "-6", "-c", "1", "-w", "5", *options, address, timeout=timeout)

    # --- ends ----------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """As a power cut for the process: SIGKILL."""
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """However it stands: what a test does when it is over."""
        if self.process.poll() is None:
            self.stop()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
