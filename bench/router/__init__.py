"""The router against Yggdrasil and against the kernel alone, on the same line of hosts in the same run."""
