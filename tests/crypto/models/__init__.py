"""Slow and obvious second implementations, written from the specifications alone."""
