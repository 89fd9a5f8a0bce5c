"""``python -m bench.gossip [--json] [--quick] [PART …]``: parts are sync, hop, idle; all by default."""

import sys

from bench import commandline
from bench.gossip.hop import hop
from bench.gossip.idle import idle
from bench.gossip.syncing import syncing


def _parts(quick: bool) -> commandline.Parts:
    return {
        "sync": lambda: syncing(500 if quick else 10_000),
        "hop": lambda: hop(2 if quick else 10),
        "idle": lambda: idle(5.0 if quick else 60.0),
    }


if __name__ == "__main__":
    sys.exit(commandline.run(sys.argv[1:], _parts))
