"""Programs to test what watches programs with."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def compiled(name: str, folder: Path) -> str:
    """Compile a program into a folder; return its path. Skips the test without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc)")
    target = folder / name
    options = ["-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]
    subprocess.run([compiler, *options, "-o", target, FOLDER / f"{name}.c"], check=True)
    return str(target)


def table(program: str, name: str) -> list[str]:
    """Return the words in a table of a C program."""
    text = (FOLDER / f"{program}.c").read_text().partition(f"}} {name}[] = {{")[2]
    return re.findall(r'"([a-z-]+)"', text.partition("};")[0])


def python(text: str) -> list[str]:
    """Return the command that runs some Python."""
    return [sys.executable, "-I", "-S", "-c", text]


def node(text: str) -> list[str]:
    """Return the command that runs some JavaScript. Skips the test without Node.js."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no Node.js (node)")
    return [program, "-e", text]
