"""How a law says that it is broken, and what every law asks besides what it is about."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import NoReturn, TypeVar

from authplugin import RemoteProtocolError

from .model import Outcome

_SHOWN = 1000  # characters of a value, and bytes of the data, in the text of a broken law

Result = TypeVar("Result")


class LawBroken(AssertionError):  # noqa: N818 - what it says is that a law was broken
    """A law does not hold. The text says which, for what bytes, and what came instead.

    Unlike the codec's own errors it shows the bytes, so it is for data that was made up.
    """


def broken(law: str, what: str, data: bytes) -> NoReturn:
    """Raise `LawBroken`: the law of this name, what came instead of what, for these bytes."""
    raise LawBroken(_text(law, what, data))


def guarded(
    name: str,
    data: bytes,
    run: Callable[[], Result],
    allowed: tuple[type[Exception], ...] = (),
) -> Result:
    """Return what `run` returns, and let through what it may raise.

    Args:
        name: what runs, for the text.
        data: on what bytes.
        run: what is called.
        allowed: what may be raised.

    Raises:
        LawBroken: where anything else was raised: a peer can cause only a `ProtocolError`.
    """
    try:
        return run()
    except LawBroken:
        raise
    except allowed:
        raise
    except Exception as error:
        text = f"{name} raised {type(error).__name__}: {short(error)}"
        raise LawBroken(_text("only ProtocolError", text, data)) from error


def remotely(name: str, data: bytes, run: Callable[[], Result]) -> Result:
    """Return what `run` returns, as `guarded` does; a RemoteProtocolError may be raised."""
    return guarded(name, data, run, (RemoteProtocolError,))


def difference(ours: Outcome, wanted: Outcome) -> str:
    """Say where two outcomes first differ, from the view of the first."""
    pairs = zip_longest(_happened(ours), _happened(wanted), fillvalue="nothing")
    for index, (one, other) in enumerate(pairs):
        if one != other:
            return f"item {index} is {short(one)}, not {short(other)}"
    return f"the state is {ours.state}, not {wanted.state}"


def _happened(outcome: Outcome) -> list[object]:
    return [*outcome.items, *([] if outcome.problem is None else [outcome.problem])]


def _text(law: str, what: str, data: bytes) -> str:
    return f"{law}: {what}\n{len(data)} bytes: {hexadecimal(data)}"


def hexadecimal(data: bytes) -> str:
    """Return the first of some bytes, for the text of a broken law."""
    return data[:_SHOWN].hex() + ("..." if len(data) > _SHOWN else "")


def short(value: object) -> str:
    """Return the beginning of a value's text, for that of a broken law."""
    text = str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
