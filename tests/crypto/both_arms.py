"""Running one test on each arm, or one input through both."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

from meshchain.crypto import CryptoWarning, arms, is_ecdsa_public_key, is_ed25519_public_key

T = TypeVar("T")


def missing(name: str) -> str | None:
    """Why an arm cannot run here."""
    try:
        arms.load(name)
    except ImportError as error:
        return f"the {name} arm's libraries are absent: {error}"
    return None


@contextmanager
def using(name: str) -> Iterator[None]:
    """Everything below goes through one arm; no answer that the other one gave is remembered."""
    is_ecdsa_public_key.cache_clear()
    is_ed25519_public_key.cache_clear()
    arms.use(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptoWarning)
            yield
    finally:
        arms.use(None)


def agreed(function: Callable[[], T]) -> T:
    """What both arms answer; skips where only one is to be had."""
    answers = []
    for name in arms.NAMES:
        if reason := missing(name):
            pytest.skip(reason)
        with using(name):
            answers.append(function())
    assert answers[0] == answers[1]
    return answers[0]
