"""However much the ledger has to say at once, every message fits the channel."""

from meshchain.mesh.telling import of_answers
from meshchain.mesh.watch import MOST_WATCHED
from meshrouter.binding_form import binding_from_json
from meshrouter.directory import Binding, Role
from meshrouter.process.channel import encode


def test_a_tip_that_changes_everything_fits_the_channel() -> None:
    name = f"{'p' * 63}.{'n' * 63}"
    keys = [number.to_bytes(32, "big") for number in range(MOST_WATCHED)]
    answers = [(key, Binding(key, Role.MEMBER, name, b"\xee" * 16, 0xFFFF)) for key in keys]
    messages = list(of_answers(answers))
    assert all(encode(message) for message in messages)
    told = [binding_from_json(form) for message in messages for form in message["list"]]
    assert told == [binding for _, binding in answers]
