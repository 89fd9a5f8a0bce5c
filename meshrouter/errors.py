"""Who is to blame: every exception the router raises on purpose says so by its type."""


class RouterError(Exception):
    """``code`` is a stable, machine-readable word; ``message`` is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class WireError(RouterError):
    """Bytes that break the protocol, whoever sent them (code: the rule)."""


class LocalError(RouterError):
    """This machine cannot do what it should: no permission, no such interface, a name that is taken."""
