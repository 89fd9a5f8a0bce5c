"""The log on a disk that is full."""

import subprocess
import sys

LOGS = """
import structlog
from meshchain.service.log import configure
configure()
log = structlog.get_logger("test")
for number in range(2000):
    log.warning("a line", number=number)
print("alive")
"""


def test_a_log_that_cannot_be_written_ends_nothing() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", LOGS], stdout=subprocess.PIPE, stderr=full, text=True, check=False)
    assert done.stdout == "alive\n"


def test_lines_are_logfmt_where_nobody_reads_along() -> None:
    done = subprocess.run([sys.executable, "-c", LOGS], capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert len(lines) == 2000
    assert lines[7].endswith('level=warning event="a line" number=7')
