"""``python -m meshrouter.host``: set up what the plan on standard input says, and tell on standard output what failed.

In: a HostPlan as JSON; nothing if it was started for nothing.
Out: ``{"alarms": [[code, message]…], "failed": [code, message] | null}``; failed means that there is no mesh on this
host. ``python -m meshrouter.host remove`` takes away what stays behind a stopped node.
"""

import json
import sys

from meshrouter.errors import LocalError
from meshrouter.host import addresses
from meshrouter.host import filter as packet_filter
from meshrouter.host.plan import HostPlan


def set_up(plan: HostPlan) -> list[LocalError]:
    """Alarms. LocalError where the mesh cannot be reached by programs at all."""
    alarms: list[LocalError] = []
    try:
        packet_filter.run(packet_filter.ruleset(plan))
    except LocalError as error:
        alarms.append(error)
    addresses.set_up(plan)
    if plan.loopback and not alarms:  # without the guard the LAN would reach what is meant for the mesh
        try:
            addresses.set_up_loopback()
        except LocalError as error:
            alarms.append(error)
    return alarms


def remove() -> None:
    addresses.remove()
    packet_filter.run(packet_filter.REMOVE)


def main(arguments: list[str]) -> int:
    if arguments == ["remove"]:
        try:
            remove()
        except LocalError as error:
            sys.stderr.write(f"{error.message}\n")
            return 1
        return 0
    text = sys.stdin.read()
    if not text:
        return 0
    failed = None
    alarms: list[LocalError] = []
    try:
        alarms = set_up(HostPlan.from_json(json.loads(text)))
    except LocalError as error:
        failed = [error.code, error.message]
    json.dump({"alarms": [[each.code, each.message] for each in alarms], "failed": failed}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
