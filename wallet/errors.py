"""What goes wrong in the wallet itself, beside the client's own errors (node refused, node not reachable,
wrong use).

``WalletError``: the file, the passphrase or the words (exit code 4). ``RefusalError``: the wallet looked at
the ledger and the answer means no: the name is taken, absent, not ours, in grace (exit code 1, like the
node's refusals). Codes are stable words; ``data`` holds the current values that explain them.
"""

from typing import ClassVar

from meshchain.rpc.client.errors import ClientError


class WalletError(ClientError):
    """The wallet file, its passphrase or the seed words are at fault."""

    exit_code: ClassVar[int] = 4


class RefusalError(ClientError):
    """The ledger's state forbids what was asked, or the name is absent."""

    exit_code: ClassVar[int] = 1
