"""A dnspython tokenizer that remembers how far it came, so that an error can name the field at fault."""

import dns.tokenizer


class WatchedTokenizer(dns.tokenizer.Tokenizer):
    """``position`` counts the fields handed out (from 1), ``last`` is the text of the latest one,
    ``ended`` that the end was read."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.position = 0
        self.last = ""
        self.ended = False

    def get(self, want_leading: bool = False, want_comment: bool = False) -> dns.tokenizer.Token:
        token = super().get(want_leading, want_comment)
        if not (token.is_eol_or_eof() or token.is_whitespace() or token.is_comment()):
            self.position += 1
            self.last = token.value
        self.ended = token.is_eol_or_eof()
        return token

    def unget(self, token: dns.tokenizer.Token) -> None:
        if not (token.is_eol_or_eof() or token.is_whitespace() or token.is_comment()):
            self.position -= 1
        self.ended = False
        super().unget(token)
