"""Fixtures of the router's tests: those of the namespaces."""

from tests.netns.conftest import lab

__all__ = ["lab"]
