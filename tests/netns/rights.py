"""Commands without any right, also where the tests are root."""

import subprocess
import sys
from typing import Final

NO_CAPABILITIES: Final = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
NOBODY: Final = (*NO_CAPABILITIES, "--reuid=65534", "--regid=65534", "--clear-groups")


def powerless() -> tuple[str, ...]:
    """What makes a command run as nobody; where the interpreter is root's alone, as root without capabilities."""
    return NOBODY if _interpreter_is_for_all() else NO_CAPABILITIES


def _interpreter_is_for_all() -> bool:
    """Whether a program of nobody can start another; the first one still passes by setpriv's own rights."""
    again = f"import os; os.execv({sys.executable!r}, ['python', '-c', ''])"
    return subprocess.run([*NOBODY, sys.executable, "-c", again], capture_output=True, check=False).returncode == 0
