"""The host's side of the mesh: addresses, routes, the packet filter, and the right to set them.

``python -m meshrouter.host`` does it and ends: pyroute2 and the asyncio below it are 20 MB and a quarter of a second
that the router's process does not need.
"""
