"""Neighbours: who is on our links, proven; how well we hear them."""
