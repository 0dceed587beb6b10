"""A plugin that logs in with the answers on its command line, and notes what it is told."""

import argparse
import json
from collections.abc import Sequence

import authplugin

parser = argparse.ArgumentParser()
parser.add_argument("--log", required=True)
parser.add_argument("--username", help="log in as this user")
parser.add_argument("--ask", action="store_true", help="have the user answer instead")
parser.add_argument("answers", nargs="*", help="to the first challenge")
options = parser.parse_args()


def note(*event: object) -> None:
    with open(options.log, "a", encoding="utf-8") as log:
        print(json.dumps(event), file=log)


class OneTimePassword(authplugin.Plugin):
    def init(self, client: authplugin.Client) -> str | None:
        note("init", client.version, client.hostname, client.port, client.username)
        username: str | None = options.username
        return username

    def keyboard_interactive(
        self, request: authplugin.Request, ask_user: authplugin.AskUser
    ) -> Sequence[str]:
        note("challenge", request.name, request.instructions, request.prompts)
        if options.ask and request.prompts:
            return ask_user(request.prompts, name="Token", instructions="Type what it shows.")
        return options.answers if request.prompts else []

    def result(self, success: bool) -> None:
        note("success" if success else "failure")


authplugin.run(OneTimePassword())
