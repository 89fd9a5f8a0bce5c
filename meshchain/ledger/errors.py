"""Who is to blame: every exception the ledger raises says so by its type.

``RemoteError``: the bytes or the operation are at fault, whoever sent them.
``LocalError``: this node is at fault (its disk, its datadir, its clock); the input may be fine.
"""


class LedgerError(Exception):
    """Base of everything the ledger raises on purpose.

    ``code`` is a stable, machine-readable word; ``detail`` holds current values that explain it
    (JSON-compatible), e.g. the height at which a rule will pass.
    """

    def __init__(self, code: str, message: str, **detail: str | int | None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail


class RemoteError(LedgerError):
    """The input breaks a rule."""


class LocalError(LedgerError):
    """This machine cannot do what it should."""


class CodecError(RemoteError):
    """Bytes that are not the canonical encoding of anything (code: the codec rule that failed)."""


class RuleError(RemoteError):
    """Well-formed, but against a rule of consensus or policy (code: the rule)."""


class HeldError(RemoteError):
    """Not invalid, only too early (e.g. a header ahead of the clock): keep it and try again."""


class ProofError(RemoteError):
    """A state proof that is malformed, not canonical, or does not lead to the root."""


class StoreError(LocalError):
    """The store cannot be opened, read or written (code: in-use, damaged, disk-full, wrong-network, io)."""
