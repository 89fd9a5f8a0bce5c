"""gossip-greeting.json: Versions that meet, and what is said."""

from dataclasses import replace
from typing import Final

from docs.spec.making.values import Document, Json, secret
from meshchain.p2p.actions import Close, Endpoint, Send
from meshchain.p2p.messages import Ready, Version, encode
from meshchain.p2p.session import Session

_OURS: Final = Version(
    protocol=1,
    genesis=secret("genesis"),
    network="mesh",
    agent="meshchain/0.1.0",
    height=10,
    work=15_360,
    time=1_795_306_800,
    nonce=1,
    listen_port=9337,
    block_only=False,
)
_THEIRS: Final = replace(_OURS, agent="another", height=12, work=18_432, nonce=2, listen_port=0)
_CASES: Final = (
    ("same network", _THEIRS),
    ("another clock, another height, no work", replace(_THEIRS, time=0, height=2**32 - 1, work=0)),
    ("block only", replace(_THEIRS, block_only=True)),
    ("another network", replace(_THEIRS, network="test", genesis=secret("genesis of test"))),
    ("another genesis under the same name", replace(_THEIRS, genesis=secret("another genesis"))),
    ("a later protocol: both go by the smaller", replace(_THEIRS, protocol=2)),
    ("our own nonce", replace(_THEIRS, nonce=1)),
)


def document() -> Document:
    return {"ours": encode(_OURS).hex(), "theirs": [_case(why, theirs) for why, theirs in _CASES]}


def _case(why: str, theirs: Version) -> Json:
    ours = Session(
        peer=1,
        key=secret("node key"),
        endpoint=Endpoint(bytes(16), 1),
        inbound=True,
        purpose="inbound",
        opened=0.0,
        ours=_OURS,
    )
    actions = ours.received(theirs, 0.0)
    assert actions
    action = actions[0]
    assert isinstance(action, Close) or (isinstance(action, Send) and action.message == Ready())
    goodbye = action.code if isinstance(action, Close) else None
    return {"why": why, "version": encode(theirs).hex(), "goodbye": goodbye}
