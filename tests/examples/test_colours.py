"""examples/colours.py does what it says, as a program of its own."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def test_a_message_goes_from_red_to_purple_and_back() -> None:
    command = [sys.executable, "examples/colours.py"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=60, check=True)
    lines = done.stdout.splitlines()
    assert lines[1] == "  anna: bert (red)"
    assert lines[-2:] == [
        "fred has got 'hello from the red end' from anna over 4 links",
        "anna has got 'and hello from the purple one' from fred over 4 links",
    ]
    assert done.stderr == ""
