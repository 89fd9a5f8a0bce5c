"""The ledger: consensus rules, store, chain, mempool, queue and miner.

Everything here is sans-IO but for the store: clocks, randomness and hashing workers are passed in, and
trio, sockets and RPC are unknown. Start reading at ``params``, ``operations`` and ``rules``.
"""
