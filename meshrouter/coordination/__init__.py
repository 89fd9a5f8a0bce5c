"""What joins the machines: news of the ledger, frames between data plane and machines, messages of the node."""
