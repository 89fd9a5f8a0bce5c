"""The TUN: where the kernel's packets for the mesh come out, and the mesh's go in."""
