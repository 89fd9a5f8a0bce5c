"""Nodes that end with their test, however it ends."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.node.running import Running

Launch: TypeAlias = Callable[..., Running]


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Starts ``meshd`` as Running does; all are gone after the test."""
    with ExitStack() as stack:

        def start(datadir: Path, *options: str, p2p: str = "off", clock: float = 0.0) -> Running:
            return stack.enter_context(Running(datadir, *options, p2p=p2p, clock=clock))

        yield start
