"""How long a user waits for the clients' help."""

import subprocess
import sys

from bench.measure import Row, durations, percentile


def startup() -> list[Row]:
    rows = []
    for module in ("meshchain.cli.meshctl", "wallet.main"):
        command = [sys.executable, "-m", module, "--help"]
        taken = durations([lambda command=command: subprocess.run(command, check=True, capture_output=True)] * 9)  # type: ignore[misc]
        median = percentile(taken, 0.5)
        name = "meshctl --help" if module.endswith("meshctl") else "meshwallet --help"
        rows.append(Row(name, f"{median:.2f} s", "< 0.3 s", median < 0.3, {"seconds": median}))
    return rows
