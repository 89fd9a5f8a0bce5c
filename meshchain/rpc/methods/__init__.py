"""The methods, one module an area; each has its AREA, whose methods make the table."""

from meshchain.rpc.methods import chain, control, dns, mempool, mesh, names, queue, router, tls, writing
from meshchain.rpc.registry import MethodTable


def method_table() -> MethodTable:
    """All methods, in the order ``help`` shows them."""
    areas = (
        names.AREA, writing.AREA, queue.AREA, chain.AREA, mempool.AREA, mesh.AREA, router.AREA, dns.AREA, tls.AREA,
        control.AREA,
    )  # fmt: skip
    return MethodTable(method for area in areas for method in area.methods)
