"""A link session: the two keys that one handshake gave, the counters under them, and a window against replay."""


class LinkSession:
    """Both directions between two neighbours."""
