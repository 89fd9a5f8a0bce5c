"""``python -m bench.router [--json] [--quick] [PART …]``: parts are rates, idle, busy; all by default. Needs root."""

import sys
from typing import Final

from bench import commandline
from bench.router.quiet import busy, idle
from bench.router.rates import rates
from tests.netns.host import WHY_NOT

_PROGRAMS: Final = {"iperf3": "iperf3", "ping": "iputils-ping", "yggdrasil": "yggdrasil", "nft": "nftables"}


def _parts(quick: bool) -> commandline.Parts:
    return {
        "rates": lambda: rates(5.0 if quick else 20.0, ("udp",) if quick else ("udp", "ethernet")),
        "idle": lambda: idle(10.0 if quick else 60.0),
        "busy": lambda: busy(3.0 if quick else 10.0),
    }


def main(arguments: list[str]) -> int:
    return commandline.wrong(WHY_NOT) if WHY_NOT else commandline.run(arguments, _parts, _PROGRAMS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
