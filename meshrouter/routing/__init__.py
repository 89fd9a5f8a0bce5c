"""Routing inside a zone: a signed distance vector without loops. ``routing`` is the machine and tells how it works."""
