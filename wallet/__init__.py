"""The wallet: seed words, keys, and the commands that register and keep names."""
