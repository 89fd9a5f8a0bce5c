"""Settings of the whole suite."""

from hypothesis import settings

settings.register_profile("meshchain", deadline=None)  # a busy machine is slow; that is no failure
settings.load_profile("meshchain")
