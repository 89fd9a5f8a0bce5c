"""Routes: one form an origin."""

from collections.abc import Iterable

from meshrouter.control.forms import Form, caps_form, node_form
from meshrouter.directory import Directory
from meshrouter.neighbours.neighbour import Neighbour
from meshrouter.routing.route import Route


def routes_form(routes: Iterable[Route], directory: Directory) -> list[Form]:
    """The nearest first."""
    return [route_form(route, directory) for route in sorted(routes, key=lambda route: (route.metric, route.id))]


def route_form(route: Route, directory: Directory) -> Form:
    return {
        **node_form(directory, route.key),
        "role": directory.role(route.key).name.lower(),
        "metric": route.metric,
        "seqno": route.seqno,
        "height": route.height,
        "caps": caps_form(route.caps),
        "next_hop": hop_form(route.next_hop, directory),
        "spare": None if route.spare is None else hop_form(route.spare, directory),
        "runner_up": _runner_up(route, directory),
    }


def hop_form(neighbour: Neighbour, directory: Directory) -> Form:
    return {**node_form(directory, neighbour.key), "link": neighbour.link.name}


def _runner_up(route: Route, directory: Directory) -> Form | None:
    if route.runner_up is None:
        return None
    return {**hop_form(route.runner_up, directory), "metric": route.runner_up_metric, "why": route.why}
