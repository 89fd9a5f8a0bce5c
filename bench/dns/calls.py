"""wrk: the most calls of a method a second, by HTTP."""

import json
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Final

CONNECTIONS: Final = 16
_SCRIPT: Final = Path(__file__).with_name("calls.lua")


def per_second(port: int, method: str, names: Path, seconds: float) -> float:
    """``names``: a file of names, each a parameter in its turn."""
    url = f"http://127.0.0.1:{port}/"
    _check(url, method, names.read_text().split()[-1])
    load = ("-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds:.0f}s", "-s", str(_SCRIPT))
    done = subprocess.run(["wrk", *load, url, "--", method, str(names)], capture_output=True, text=True, check=True)
    found = re.search(r"Requests/sec:\s+([0-9.]+)", done.stdout)
    if found is None or "Non-2xx" in done.stdout:
        raise SystemExit(f"calls of {method} fail:\n{done.stdout}")
    return float(found[1])


def _check(url: str, method: str, name: str) -> None:
    """That the method knows the name."""
    call = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": [name]}).encode()
    request = urllib.request.Request(url, call, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        answer = json.load(reply)
    if name not in json.dumps(answer.get("result")):
        raise SystemExit(f"{method} does not know {name}: {answer}")
