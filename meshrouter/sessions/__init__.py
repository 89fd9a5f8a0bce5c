"""Sessions between mesh addresses: who speaks for an address is proven, and what they say is sealed, end to end.

``sessions`` is the machine; ``handshakes`` makes sessions, ``claims`` asks the ledger who holds an address, ``table``
keeps them, ``endsession`` is the hot path, ``hints`` weighs what strangers say of them, ``complaints`` tells the TUN.
"""
