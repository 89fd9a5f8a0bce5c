"""The DNS server beside Debian's NSD, on the same names, asked by Debian's dnsperf: ``python -m bench.dns``."""
