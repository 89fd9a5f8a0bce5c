"""The data plane: frames in, packets on, frames out. ``plane`` is the way of every packet, the rest is exceptions."""
