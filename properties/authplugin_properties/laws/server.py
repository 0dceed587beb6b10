"""The law of the server of SSH's user authentication."""

from __future__ import annotations

from collections.abc import Sequence

from authplugin.userauth import UserAuthServer

from ..oracles.server_steps import Setup, Step
from ..server_trial import MakeServer, ServerTrial


def userauth_server_agrees(
    steps: Sequence[Step], setup: Setup | None = None, make: MakeServer = UserAuthServer
) -> None:
    """Check that a server does what its model says, whatever client and handler do.

    After every step; see `ServerTrial` for what is compared. So there is no success that the
    handler has not decided, and no signature that is not by the key over this session and request.

    Args:
        steps: what happens, in order; see `oracles.server_steps`.
        setup: how the server is set up.
        make: makes the server; called as `UserAuthServer` is.
    """
    trial = ServerTrial(setup or Setup(), make=make)
    for step in steps:
        trial.take(step)
