"""What the newcomer reads: a headline for each step, the commands as they are typed, and on which host."""

import os
import shlex
import sys
from collections.abc import Iterable


def step(text: str) -> None:
    """A headline, bold on a terminal."""
    bold = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(f"\n\033[1m{text}\033[0m" if bold else f"\n{text}", flush=True)


def typed(host: str, words: Iterable[str]) -> None:
    """``bob$ ping -c 3 alice.mesh``"""
    print(f"{host}$ {' '.join(word if word == '&' else shlex.quote(word) for word in words)}", flush=True)


def said(text: str) -> None:
    print(text, flush=True)
