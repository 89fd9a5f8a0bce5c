"""The fixture ``each_arm``: a test that asks for it runs once on every arm."""

from collections.abc import Iterator

import pytest

from meshchain.crypto import arms
from tests.crypto.both_arms import missing, using


@pytest.fixture(params=arms.NAMES)
def each_arm(request: pytest.FixtureRequest) -> Iterator[str]:
    name: str = request.param
    if reason := missing(name):
        pytest.skip(reason)
    with using(name):
        yield name
