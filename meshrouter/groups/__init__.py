"""Broadcast and multicast in a zone: one signed packet that reaches every host once.

``message`` is the format, ``groups`` the machine, ``budgets`` what keeps storms small, ``readdress`` how a broadcast
becomes a datagram for the own address.
"""
