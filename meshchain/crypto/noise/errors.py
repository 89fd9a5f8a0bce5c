"""Why a Noise message was refused."""


class NoiseError(Exception):
    """The other side's bytes are at fault; ``code`` is the rule:

    noise-size: shorter than its pattern demands, or longer than 65,535 bytes;
    noise-key: an X25519 key of small order;
    noise-tag: does not open: changed, replayed, out of order, or not meant for this session;
    noise-nonce: 2^64 − 1 messages under one key.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
