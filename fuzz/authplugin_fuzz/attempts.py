"""Inputs tried one at a time in a process of their own, which may die of them.

    python -m authplugin_fuzz.attempts TARGET SECONDS MEBIBYTES

is that process: it reads a request a line from standard input, and answers with a line. Whatever
the code on trial does, whoever asked goes on: a process that ends, hangs or takes too much memory
is an answer too, and the next request has a new one.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from authplugin import Limits, explain
from authplugin_corpus.vectors import load_flags, read_vectors
from authplugin_corpus.verifying import problems_of
from authplugin_properties.laws import LawBroken

from .findings import Kind, without_bytes
from .parent import die_with_parent
from .targets import TARGETS

SECONDS: Final = 10.0
"""Processor time that an input may take."""

MEBIBYTES: Final = 1024
"""Memory that the process may take beyond what it has when it starts."""

_WAIT: Final = 6
"""So many times its processor time, at most, is an input waited for: others may use the machine."""

_TO_START: Final = 60.0
"""Seconds that a process may take to start."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What an input does that it should not.

    Attributes:
        kind: whether it breaks a law, takes too long or takes too much.
        law: the law's name, or what else has happened.
        title: the same with what came instead of what, in a line. It may hold what is secret.
        text: all that the broken law says; it may be long.
    """

    kind: Kind
    law: str
    title: str
    text: str = ""

    @property
    def likeness(self) -> tuple[str, str]:
        """What two violations of the same kind have in common: all but the bytes and numbers."""
        return self.law, likeness(self.title)


def likeness(title: str) -> str:
    """Return what a title has in common with others of the same kind.

    That is all but bytes, numbers, parentheses, and what stands in brackets or braces.
    """
    kept: list[str] = []
    depth = 0
    # A value that was cut short ends with an ellipsis: the brackets in it are never closed.
    for part in re.split(r"([][{}]|\.\.\.)", without_bytes(title)):
        if part == "...":
            depth = 0
        elif part in ("[", "{"):
            depth += 1
        elif part in ("]", "}"):
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(part)
    return re.sub(r"\d+", "0", re.sub(r"[()]", "", "".join(kept)))


class AttemptError(RuntimeError):
    """The process that tries inputs cannot be started; the text says why."""


class Attempts:
    """Tries inputs of one target; to be left with `close`, or as a context manager.

    Args:
        target: the target's name.
        seconds: processor time that an input may take.
        mebibytes: memory that the process may take beyond what it has when it starts.
    """

    def __init__(
        self, target: str, *, seconds: float = SECONDS, mebibytes: int = MEBIBYTES
    ) -> None:
        self._command = (
            *(sys.executable, "-X", "faulthandler", "-m", __name__),
            *(target, str(seconds), str(mebibytes)),
        )
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._late = False

    def __enter__(self) -> Attempts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def violation(self, raw: bytes) -> Violation | None:
        """Try an input, and return what it does that it should not; None where nothing.

        Raises:
            AttemptError: where there is no such target, or nothing can be started.
        """
        answer = self._ask({"run": raw.hex()})
        if isinstance(answer, Violation):
            return answer
        if answer is None:
            return None
        violation = Violation(Kind(answer.pop("kind")), **answer)
        if violation.kind is Kind.OOM:
            self.close()  # what it has taken it need not give back
        return violation

    def explained(self, frame: bytes, limits: Limits) -> str:
        """Return a frame for people, as `authplugin.explain` does; or what became of that.

        Raises:
            AttemptError: where nothing can be started.
        """
        shown: Mapping[str, Any] = {name: getattr(limits, name) for name in Limits.__slots__}
        answer = self._ask({"explain": frame.hex(), "limits": shown})
        return f"not explained: {answer.title}" if isinstance(answer, Violation) else str(answer)

    def problems(self, text: str) -> list[str]:
        """Return what the linter of the corpus, with the code on trial, says of a file of vectors.

        Raises:
            AttemptError: where nothing can be started.
        """
        answer = self._ask({"problems": text})
        return [answer.title] if isinstance(answer, Violation) else list(answer)

    def close(self) -> None:
        """End the process, and whatever it has started."""
        if self._process is not None:
            _kill(self._process)
            self._reap()

    def _ask(self, request: Mapping[str, Any]) -> Any:
        """Return the answer, or the violation that is that there is none."""
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None
        answer = self._answer(process, json.dumps(request).encode() + b"\n")
        if answer is None:
            return self._reap()
        if self._late:
            self._reap()  # killed just after it had answered
        return json.loads(answer)

    def _start(self) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process is reaped
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | {"PYTHONHASHSEED": "0"},
            start_new_session=True,
        )
        if self._answer(self._process, b"") is None:
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip()
            self._reap()
            raise AttemptError(f"no input can be tried: {said[-2000:]}")

    def _answer(self, process: subprocess.Popen[bytes], request: bytes) -> bytes | None:
        """Return the next line that the process says; None where it says none and ends."""
        assert process.stdin is not None
        assert process.stdout is not None
        # Starting takes time of its own.
        patience = self._seconds * _WAIT + (0 if request else _TO_START)
        watch = threading.Timer(patience, self._overdue, (process,))
        watch.start()
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(request)
                process.stdin.flush()
            line = process.stdout.readline()
        finally:
            watch.cancel()
            watch.join()
        return line if line.endswith(b"\n") else None

    def _overdue(self, process: subprocess.Popen[bytes]) -> None:
        self._late = True
        _kill(process)

    def _reap(self) -> Violation:
        """Wait for a process that has closed its output, and say how it ended."""
        process, self._process = self._process, None
        assert process is not None
        try:
            status = process.wait(self._seconds * _WAIT)
        except subprocess.TimeoutExpired:
            _kill(process)
            status = process.wait()
        for pipe in (process.stdin, process.stdout, self._errors):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        late, self._late = self._late, False
        if late or status == -getattr(signal, "SIGPROF", 0):
            law = "the time limit"
            return Violation(Kind.TIMEOUT, law, f"{law}: more than {self._seconds:g} seconds")
        how = f"status {status}" if status >= 0 else signal.Signals(-status).name
        return Violation(Kind.CRASH, "the process", f"the process ended with {how}")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, and what it may have started."""
    with suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


# The process itself.


def main(arguments: Sequence[str]) -> int:
    """Answer requests until there are no more."""
    name, seconds, mebibytes = arguments
    if name not in TARGETS:
        sys.exit(f"there is no target {name!r}: {', '.join(TARGETS)}")
    die_with_parent()
    # What a target prints is no answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _limit_memory(int(mebibytes))
    print("ready", file=answers, flush=True)
    for line in sys.stdin.buffer:
        (asked, given), *others = json.loads(line).items()
        _limit_time(float(seconds))
        answer = _ANSWERS[asked](name, given, dict(others))
        _limit_time(0)
        print(json.dumps(answer), file=answers, flush=True)
    return 0


def _limit_time(seconds: float) -> None:
    # Nobody handles this signal, so it ends the process, whatever that is doing.
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit_memory(mebibytes: int) -> None:
    taken = Path("/proc/self/statm")
    if sys.platform == "linux" and taken.exists():
        import resource

        size = int(taken.read_text().split()[0]) * resource.getpagesize() + (mebibytes << 20)
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        if hard == resource.RLIM_INFINITY or size < hard:
            resource.setrlimit(resource.RLIMIT_AS, (size, hard))


def _run(name: str, given: str, _: dict[str, Any]) -> dict[str, str] | None:
    try:
        TARGETS[name].run(bytes.fromhex(given))
    except LawBroken as broken:
        title = str(broken).partition("\n")[0]
        law = title.partition(":")[0]
        return {"kind": Kind.CRASH, "law": law, "title": title, "text": str(broken)}
    except MemoryError:
        law = "the memory limit"
        return {"kind": Kind.OOM, "law": law, "title": law}
    except BaseException as error:
        said = str(error).partition("\n")[0][:1000]
        law = f"{type(error).__name__} {_where(error)}"
        return {"kind": Kind.CRASH, "law": law, "title": f"{law}: {said}"}
    return None


def _where(error: BaseException) -> str:
    """Return the innermost place in our own packages that an exception has come through."""
    place = "outside"
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] != __package__ and module.startswith("authplugin"):
            place = f"in {module}.{trace.tb_frame.f_code.co_name}"
        trace = trace.tb_next
    return place


def _explain(_: str, given: str, others: dict[str, Any]) -> str:
    try:
        return explain(bytes.fromhex(given), Limits(**others["limits"]))
    except Exception as error:
        return f"not explained: explain raises {type(error).__name__}"


def _problems(_: str, given: str, others: dict[str, Any]) -> list[str]:
    try:
        return [
            problem
            for vector in read_vectors(given, "promoted", load_flags())
            for problem in problems_of(vector)
        ]
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


_ANSWERS: Final[Mapping[str, Callable[[str, str, dict[str, Any]], Any]]] = {
    "run": _run,
    "explain": _explain,
    "problems": _problems,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
