"""``make run``: two hosts, a name, and what programs make of it (``__main__``)."""
