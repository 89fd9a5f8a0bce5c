"""Addresses of nodes: the book of what was heard, in buckets that one party cannot fill."""

from meshchain.p2p.addresses.book import AddressBook
from meshchain.p2p.addresses.group import group_of, host_of, is_usable
from meshchain.p2p.addresses.intake import Intake
from meshchain.p2p.addresses.known import Known
from meshchain.p2p.addresses.stored import Snapshot, decode, encode

__all__ = ["AddressBook", "Intake", "Known", "Snapshot", "decode", "encode", "group_of", "host_of", "is_usable"]
