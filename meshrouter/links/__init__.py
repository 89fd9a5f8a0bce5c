"""Links: what carries frames to neighbours. One file a kind; ``link`` is what all of them are to the router."""
