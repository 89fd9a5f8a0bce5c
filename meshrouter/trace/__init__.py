"""Ping and traceroute of the mesh: what a probe meets, told by those who carried it and signed by them.

``ticket``, ``probe`` and ``report`` are the formats, ``responder`` is what a node does with the probes of others,
``path`` checks and orders the reports that came back, ``tracer`` is the machine that the coordinator drives.
"""
