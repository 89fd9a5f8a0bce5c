"""The router of the mesh: authenticated links, routes, and end-to-end sessions between mesh addresses.

Packets only: of names and the ledger it knows what ``directory`` tells, of the machine what ``links``, ``tun`` and
``host`` show. Everything but those and ``process`` is sans-IO, so that one code runs on a kernel, in namespaces and in
simulations.
"""
