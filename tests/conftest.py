"""Settings of the whole suite."""

import signal

from hypothesis import settings

settings.register_profile("meshchain", deadline=None)  # a busy machine is slow; that is no failure
settings.load_profile("meshchain")

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell's background jobs ignore it, and so would the programs that tests start and then interrupt."""
