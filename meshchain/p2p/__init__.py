"""Gossip: how nodes find each other and agree on one ledger.

Everything here is sans-IO. ``transport`` turns a byte stream into authenticated messages, ``messages`` encodes them,
``session`` greets a peer, ``headersync``, ``blocksync`` and ``relay`` exchange the ledger, ``addresses``, ``slots``
and ``conduct`` decide whom to talk to, and ``gossip`` connects them. Sockets and clocks are in
``meshchain.service.gossip``.
"""
