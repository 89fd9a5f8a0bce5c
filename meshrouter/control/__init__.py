"""What people ask a router, and its state as JSON.

``control`` takes the questions; the other modules turn one kind of thing each into plain values. The shapes are those
of the RPC methods ``mesh_…``, whose schemas check them.
"""
