"""A plugin that knows the answer to every prompt of the tests."""

import authplugin

ANSWERS = {"Code: ": "492816", "PIN: ": "käse", "Again: ": "492816"}


class Answers(authplugin.Plugin):
    def keyboard_interactive(
        self, request: authplugin.Request, ask_user: authplugin.AskUser
    ) -> list[str]:
        return [ANSWERS[prompt.prompt] for prompt in request.prompts]


authplugin.run(Answers())
