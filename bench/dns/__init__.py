"""The DNS server beside Debian's NSD and npm's hsd, on the same names, asked by dnsperf and wrk: ``-m bench.dns``."""
