"""The chain: header tree, block connection, fork choice with parking, views for readers, integrity check."""
