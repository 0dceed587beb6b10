"""The file of `--answers`: what the server asks, and what the user answers."""

from __future__ import annotations

from pathlib import Path

from .parameters import Answer, Parameters, Prompt
from .tables import TableError, read_tables


def with_answers(parameters: Parameters, path: Path) -> Parameters:
    """Return parameters with what a file says; what they say already about prompts holds.

    The file is TOML. Each `[[server]]` is one question of the server: `prompt`, and `echo` where it
    matters whether the answer is shown. Each `[[user]]` is one answer of the user: `prompt`, a
    pattern (`*`, `?`, `[...]`) for a prompt of the plugin, and `answer`; the first that fits holds.

    Raises:
        TableError: where the file is not like that.
        OSError: where it cannot be read.
    """
    prompts = []
    answers = []
    for table in read_tables(path, ("server", "user")):
        if table.name == "server":
            table.check({"prompt"}, {"echo"})
            prompts.append(Prompt(table.text("prompt", empty=False), table.flag("echo")))
        else:
            table.check({"prompt", "answer"}, set())
            answers.append(Answer(table.text("prompt"), table.text("answer")))
    if not prompts and not answers:
        raise TableError(f"{path}: has neither [[server]] nor [[user]]")
    return parameters._replace(
        prompts=tuple(parameters.prompts) or tuple(prompts),
        answers=(*parameters.answers, *answers),
    )
