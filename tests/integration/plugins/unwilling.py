"""A plugin with a handler that does not do its work.

Its arguments: the name of the handler; what it raises, `refusal` or `mistake`; and the message.
"""

import sys
from collections.abc import Sequence

import authplugin

HANDLER, KIND, MESSAGE = sys.argv[1:]


def work(handler: str) -> None:
    if handler == HANDLER:
        raise authplugin.Refusal(MESSAGE) if KIND == "refusal" else RuntimeError(MESSAGE)


class Unwilling(authplugin.Plugin):
    def init(self, client: authplugin.Client) -> None:
        work("init")

    def protocol(self, method: str) -> None:
        work("protocol")

    def keyboard_interactive(
        self, request: authplugin.Request, ask_user: authplugin.AskUser
    ) -> Sequence[str]:
        work("keyboard_interactive")
        return []


authplugin.run(Unwilling())
