"""The names of the ledger as DNS zones, signed as they are asked for. The sockets: ``meshchain.service.dns``.

``records`` reads entries, ``trees`` makes zones of them, ``lookup`` finds what answers a question, ``signing`` and
``denial`` prove it, ``message`` reads and writes packets, ``engine`` ties these together and remembers answers,
``transfer`` gives whole zones away.
"""
