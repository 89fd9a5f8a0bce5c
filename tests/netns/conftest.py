"""Fixtures of the tests on real kernels' namespaces."""

from collections.abc import Iterator

import pytest

from tests.netns.host import Lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made
