"""The last words: what to try next, or what went wrong."""

import os
import shlex
import sys
from pathlib import Path
from typing import Final

from examples.first_name import screen
from examples.first_name.hosts import FailedError, Host, Pair
from examples.first_name.programs import PROGRAMS, installed
from examples.first_name.story import NAME

_END: Final = 12
"""Lines of a log."""
_TUN: Final = """\
  {bob} ping {name}
  {bob} curl http://{name}/
  {bob} curl --proxy http://{proxy} --cacert authority.crt https://{name}/
  {bob} meshtraceroute {name}
  {alice} meshwallet set {name} TXT "hello, mesh" --wait
  {bob} {look_up} {name} TXT
  {bob} meshwallet register bob.mesh --claim eeee::b0b --wait
  {alice} ping bob.mesh"""
_LOOPBACK: Final = """\
  {bob} meshctl ping {name}
  {bob} meshtraceroute {name}
  {alice} meshwallet set {name} TXT "hello, mesh" --wait
  {bob} {look_up} {name} TXT
  {bob} meshwallet register bob.mesh --claim eeee::b0b --wait
  {alice} meshctl ping bob.mesh"""
_TEXT: Final = """
Both hosts keep running. In another terminal, go to their folder and type on the one or the other:

  cd {folder}
{lines}
  {alice} meshctl status
  {bob}                                     (a shell there)

Or ask alice's node from that terminal itself:

  {exports}
  meshctl history {name}
  {look_up_here} {name} AAAA

Ctrl-C ends both hosts and removes everything."""


def suggest(pair: Pair, folder: Path) -> None:
    """Lines that work as they stand, in another terminal. Writes the scripts ``alice`` and ``bob`` into the folder."""
    for host in (pair.alice, pair.bob):
        host.write_script(folder / host.name)
    rights = ""
    if pair.tun and "SUDO_UID" in os.environ:  # that terminal is not root's
        rights = "sudo "
        folder.chmod(0o711)
    dig = installed("dig")
    words = {"name": NAME, "alice": f"{rights}./alice", "bob": f"{rights}./bob", "proxy": pair.bob.proxy}
    words["look_up"] = shlex.join(("dig", *pair.bob.dig)) if dig else "meshctl resolve"
    words["look_up_here"] = shlex.join(("dig", *pair.alice.outside)) if dig else "meshctl resolve"
    lines = (_TUN if pair.tun else _LOOPBACK).format(**words)
    exports = _exports(pair.alice)
    screen.said(_TEXT.format(folder=shlex.quote(str(folder)), lines=lines, exports=exports, **words))


def _exports(host: Host) -> str:
    settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in host.settings.items())
    return f"export {settings} PATH={shlex.quote(str(PROGRAMS))}:$PATH"


def explain(error: FailedError) -> None:
    """What failed, the end of that node's log, and what to install where that is the cause."""
    host = error.host
    log = host.log.read_text(errors="replace") if host.log.exists() else "(there is none)"
    tail = "\n  ".join(log.splitlines()[-_END:])
    print(f"\nThat failed on {host.name}'s host: {error}\nThe end of its node's log:\n  {tail}", file=sys.stderr)
    if "ModuleNotFoundError" in tail or "ImportError" in tail:
        print(
            "A library is missing: run `make clean run`; to compile: apt install build-essential python3-dev "
            "libleveldb-dev libsecp256k1-dev pkg-config",
            file=sys.stderr,
        )
