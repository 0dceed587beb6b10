"""A plugin whose handlers print on standard output, where only the protocol belongs.

Its arguments: a log file, and the answers to the server's first challenge.
"""

import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import authplugin

LOG, *ANSWERS = sys.argv[1:]


class Chatty(authplugin.Plugin):
    def init(self, client: authplugin.Client) -> None:
        print("printed by init", flush=True)
        # A child inherits the standard output of the process, whatever sys.stdout is.
        subprocess.run(["echo", "printed by a child"], check=True, timeout=10)

    def keyboard_interactive(
        self, request: authplugin.Request, ask_user: authplugin.AskUser
    ) -> Sequence[str]:
        print("printed by keyboard_interactive")
        return ANSWERS if request.prompts else []

    def result(self, success: bool) -> None:
        # Having sent the result, plink closes its end of the plugin's standard error. Nobody
        # reads the prints from then on, and the rest of the handler must run all the same.
        closed = select.poll()
        closed.register(sys.stderr.fileno(), 0)
        closed.poll(10_000)
        print("printed by result", flush=True)
        print("printed by result", file=sys.stderr, flush=True)
        Path(LOG).write_text("success" if success else "failure")


authplugin.run(Chatty())
