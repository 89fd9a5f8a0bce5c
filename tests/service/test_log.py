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

FULL = """
import os, resource, trio
from meshchain.service.log import configure

async def main():
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with await trio.open_tcp_stream("127.0.0.1", listeners[0].socket.getsockname()[1]) as client:
        probe = os.dup(0)
        os.close(probe)
        resource.setrlimit(resource.RLIMIT_NOFILE, (probe, probe))
        with trio.move_on_after(0.5):
            await trio.serve_listeners(lambda stream: stream.aclose(), listeners)

configure()
trio.run(main)
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


def test_that_descriptors_are_out_is_one_line() -> None:
    done = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    assert "EMFILE" in line
    assert 'event="no connection can come in"' in line
