"""What is logged, for laws that say something of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Heard = Callable[[logging.LogRecord], object]


class _Listener(logging.Handler):
    def __init__(self, heard: Heard) -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard(record)


@contextmanager
def listening(name: str, level: int, heard: Heard) -> Iterator[None]:
    """Have everything that is logged within heard here, and nowhere above.

    Args:
        name: whose log; empty for all.
        level: the least level.
        heard: called with each record.
    """
    logger = logging.getLogger(name)
    listener = _Listener(heard)
    before = logger.level, logger.propagate
    logger.addHandler(listener)
    logger.setLevel(level)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(listener)
        logger.setLevel(before[0])
        logger.propagate = before[1]
