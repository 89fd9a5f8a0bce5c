"""The ledger's side of the router: what the chain says of node keys and addresses, and how the router is told."""
