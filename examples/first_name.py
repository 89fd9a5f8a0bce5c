"""Start a dev node of one's own, register alice.mesh, look it up over JSON-RPC, and keep the node running.

Run by ``make run``. Everything is real: a LevelDB ledger in a scratch folder, a wallet with seed words, stamps,
mined blocks. Nothing is left behind at the end.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

NAME = "alice.mesh"
USUAL_PORT = 29336
USUAL_DNS_PORT = 25336
PROGRAMS = Path(sys.executable).parent


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="meshchain-") as folder:
        address, dns = f"127.0.0.1:{_port(USUAL_PORT)}", _port(USUAL_DNS_PORT)
        settings = {"MESH_NETWORK": "dev", "MESH_DATADIR": folder, "MESH_RPC": f"http://{address}/"}
        environment = {**os.environ, **settings}
        node = _start(environment, address, dns)
        try:
            return _show(node, environment, dns)
        except KeyboardInterrupt:
            print("\nstopping the node …")
            return 0
        finally:
            node.terminate()
            node.wait()


def _port(usual: int) -> int:
    """The dev network's usual port, or any free one where another node has it."""
    for port in (usual, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            free: int = probe.getsockname()[1]
            return free
    raise SystemExit("no free port on 127.0.0.1")


def _start(environment: dict[str, str], address: str, dns: int) -> "subprocess.Popen[bytes]":
    print(f"starting a node of the dev network in {environment['MESH_DATADIR']} …")
    command = [str(PROGRAMS / "meshd"), "--network", "dev", "--rpc", address, "--link", "none", "--tun", "off"]
    command += ["--dns", f"127.0.0.1:{dns}"]
    log = Path(environment["MESH_DATADIR"]) / "meshd.log"
    with log.open("wb") as file:
        return subprocess.Popen(command, env=environment, stderr=file)


def _show(node: "subprocess.Popen[bytes]", environment: dict[str, str], dns: int) -> int:
    steps = (
        ("waiting until it answers", ["meshctl", "wait", "--timeout", "60"]),
        (f"registering {NAME} with a wallet of its own", ["meshwallet", "register", NAME, "--wait"]),
    )
    for what, command in steps:
        print(f"{what}: {' '.join(command)}")
        if _run(command, environment).returncode:
            return _explain(node, environment)
    print(f"\nasking the node over JSON-RPC: meshctl rpc name_show {NAME}")
    shown = _run(["meshctl", "rpc", "name_show", NAME], environment, capture_output=True)
    if shown.returncode:
        return _explain(node, environment)
    print(json.dumps(json.loads(shown.stdout), indent=2))
    print(f"\nwhat DNS answers: meshctl resolve {NAME}", flush=True)
    if _run(["meshctl", "resolve", NAME], environment).returncode:
        return _explain(node, environment)
    _suggest(environment, dns)
    return _wait(node, environment)


def _run(
    command: list[str], environment: dict[str, str], *, capture_output: bool = False
) -> "subprocess.CompletedProcess[bytes]":
    program, *arguments = command
    return subprocess.run(
        [str(PROGRAMS / program), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=capture_output,
        check=False,
    )


def _suggest(environment: dict[str, str], dns: int) -> None:
    settings = [
        f"{key}={environment[key]}" for key in ("MESH_NETWORK", "MESH_DATADIR", "MESH_RPC") if key in environment
    ]
    print(f"""
{NAME} is registered: its key and IPv6 address stand in the ledger above.
The node keeps running. In another terminal, in this folder, try:

  export {" ".join(settings)} PATH=$PWD/.venv/bin:$PATH
  meshctl status
  meshctl show {NAME}
  meshwallet set {NAME} TXT "hello, mesh" --wait
  dig @127.0.0.1 -p {dns} {NAME} AAAA
  meshctl history {NAME}
  meshctl proof {NAME}
  meshwallet register bob.mesh --claim eeee::b0b --wait

Ctrl-C stops the node and removes its folder.""")


def _wait(node: "subprocess.Popen[bytes]", environment: dict[str, str]) -> int:
    node.wait()
    return _explain(node, environment) if node.returncode else 0


def _explain(node: "subprocess.Popen[bytes]", environment: dict[str, str]) -> int:
    """Say why the last step failed: the end of the node's log, and what to install where that is the cause."""
    state = "is still running" if node.poll() is None else f"ended with exit code {node.returncode}"
    log = Path(environment["MESH_DATADIR"]) / "meshd.log"
    tail = "\n  ".join(log.read_text(errors="replace").splitlines()[-12:])
    print(f"\nThat failed. The node {state}; the end of its log:\n  {tail}", file=sys.stderr)
    if "ModuleNotFoundError" in tail or "ImportError" in tail:
        print(
            "A library is missing: run `make clean run`; to compile: apt install build-essential python3-dev "
            "libleveldb-dev libsecp256k1-dev pkg-config",
            file=sys.stderr,
        )
    return 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
