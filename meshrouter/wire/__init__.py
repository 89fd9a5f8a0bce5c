"""Every format of the mesh, as bytes and as dataclasses: pure functions, no state. docs/spec/meshp.md has the layouts.

One module per family: ``frame`` (what a link carries), ``beacon``, ``handshake``, ``nosession``, ``control`` (between
neighbours), ``packet`` and ``sec`` (what is routed), ``ends`` (handshakes between ends), ``meshctl`` (errors),
``train``. The ``struct.Struct`` objects and constants are for the data plane, which makes no object per packet.
Integers are big-endian. Every decoder raises WireError, and nothing else, for whatever is not its format.
"""
