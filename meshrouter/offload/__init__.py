"""Packets of many segments: what the kernel leaves to be done, so that nothing here is done a segment at a time.

``vnet`` is the header under which the kernel gives and takes them, ``split`` cuts them, ``inner`` says how they travel
inside a session, ``coalesce`` puts segments together again, ``trains`` carries one over a link in many frames.
"""
