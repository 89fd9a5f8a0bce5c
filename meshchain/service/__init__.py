"""The shells around the sans-IO parts: datadir, clock, threads, trio loops. ``meshchain.node`` wires them."""
