"""meshctl's commands, by subject."""
