"""Fixtures of the tests on real kernels' namespaces."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns.host import WHY_NOT, Lab
from tests.netns.meshes import Mesh, line_options, mesh, register_all


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of the nodes a … d, whose names are confirmed (``meshes``)."""
    if WHY_NOT is not None:
        pytest.skip(WHY_NOT)
    folder = tmp_path_factory.mktemp("registered")
    register_all(folder)
    return folder


@pytest.fixture(scope="session")
def line(registered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """a – b – c by Ethernet, on links without any IP. For tests that change nothing."""
    with Lab() as lab:
        for host in lab.line("a", "b", "c"):
            host.without_ip("left", "right")
        options = line_options("ethernet", "a", "b", "c")
        options["a"] += ["--socks", "127.0.0.1:1080"]
        with mesh(lab, tmp_path_factory.mktemp("line"), registered, options) as made:
            yield made
