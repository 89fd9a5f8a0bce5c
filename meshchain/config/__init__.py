"""meshd's options: one table that the command line, the file, the environment and the example all read.

``options`` is the table, ``values`` and ``links`` parse single values, ``toml_file`` reads the file,
``layers`` decides which source wins, ``config`` is the result, ``text`` writes it back as TOML.
"""

from meshchain.config.config import Config, ConfigError, load

__all__ = ["Config", "ConfigError", "load"]
