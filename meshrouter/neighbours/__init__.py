"""Neighbours: who is on our links, proven; how well we hear them.

``machine.Neighbours`` is what others use; ``ground`` has its events, ``neighbour`` and ``session`` what they read.
"""
