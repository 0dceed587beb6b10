"""The plugins of examples/: peers in three languages that share no code with the project."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.integration.conversation import Conversation
from tests.integration.violations import AUTHENTICATING, ENDED, IDLE, START
from tests.integration.wire import (
    ACCEPT,
    PASSWORD,
    for_user,
    frame,
    init,
    init_response,
    protocol,
    string,
)
from tests.integration.wire import request as ki_request

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

LIMIT = 60.0
"""Seconds that a compiler, or a program asked for its version, may take."""

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-O2")

SANITISERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")
"""With these, a plugin that steps out of bounds ends with a report on standard error."""

_OLDEST_NODE = 18


def compile_c_plugin(folder: Path, options: Sequence[str] = ()) -> list[str]:
    """Compile examples/plugin.c into `folder`; return the command line that starts it.

    `options` are further ones of the compiler.  Skips the test where there is no cc, where the
    compiler cannot do what the options ask for, and on Windows, as the source needs POSIX.
    """
    if os.name == "nt":
        pytest.skip("examples/plugin.c needs POSIX")
    compiler = _find("cc")
    folder = folder.resolve()
    if options and not _links(compiler, options, folder):
        pytest.skip(f"cc has no {' '.join(options)}")
    program = folder / "plugin-c"
    run = _run(compiler, *STRICT, *options, "-o", program, EXAMPLES / "plugin.c")
    if run.returncode != 0:
        pytest.fail(f"examples/plugin.c does not compile:\n{run.stderr}")
    return [str(program)]


def node_plugin() -> list[str]:
    """Return the command line that starts examples/plugin.mjs.

    Skips the test where there is no node, or one older than version 18.
    """
    node = _find("node")
    version = _run(node, "--version").stdout.strip()
    number = re.match(r"v(\d+)\.", version)
    if number is None or int(number[1]) < _OLDEST_NODE:
        pytest.skip(f"node is {version or 'of unknown version'}, older than {_OLDEST_NODE}")
    return [node, str(EXAMPLES / "plugin.mjs")]


def python_plugin() -> list[str]:
    """Return the command line that starts examples/plugin.py.

    The interpreter is isolated and has no site-packages: the standard library is all there is.
    """
    return [sys.executable, "-I", "-S", str(EXAMPLES / "plugin.py")]


def _find(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def _links(compiler: str, options: Sequence[str], folder: Path) -> bool:
    source = folder / "nothing.c"
    source.write_text("int main(void) { return 0; }\n")
    program = folder / "nothing"
    linked = _run(compiler, *options, "-o", program, source).returncode == 0
    return linked and _run(program).returncode == 0


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT
    )


# ---- Fixtures: a test module that imports all three is run with each example ----

Start = Callable[..., Conversation]
"""Starts a plugin with the arguments given; it is cleaned up after the test."""


@pytest.fixture(scope="session", params=["c", "c-sanitised", "node", "python"])
def peer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def plugin(peer: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the command line of one example; it is compiled once for all tests."""
    if peer == "node":
        return node_plugin()
    if peer == "python":
        return python_plugin()
    folder = tmp_path_factory.mktemp(peer)
    return compile_c_plugin(folder, SANITISERS if peer == "c-sanitised" else ())


@pytest.fixture
def start(plugin: list[str]) -> Iterator[Start]:
    started: list[Conversation] = []

    def start(*arguments: str | bytes) -> Conversation:
        started.append(Conversation([*plugin, *arguments]))
        return started[-1]

    yield start
    for conversation in started:
        conversation.clean_up()


def reach(start: Start, state: str, *arguments: str) -> Conversation:
    """Start a plugin and bring it into a state; one that asks the user was sent one prompt."""
    if state == ENDED:
        conversation = start("--fail-init", "no")
        conversation.exchange(init(), frame(8, string(b"no")))
        return conversation
    conversation = start("--ask", *arguments)
    if state == START:
        return conversation
    conversation.exchange(init(), init_response())
    if state == IDLE:
        return conversation
    conversation.exchange(protocol(), ACCEPT)
    if state == AUTHENTICATING:
        return conversation
    conversation.exchange(ki_request(PASSWORD), for_user(ki_request(PASSWORD)))
    return conversation
