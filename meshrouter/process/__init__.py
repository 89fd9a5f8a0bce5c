"""The router's own process: its loop, its channel to the node, its start."""
