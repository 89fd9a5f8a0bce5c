"""TLS that the ledger vouches for: TLSA rules, chains, the local authority, what a browser is told."""
