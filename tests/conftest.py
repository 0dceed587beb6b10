"""What all tests share."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

from authplugin_properties import profiles

_GRACE = 20.0  # seconds

# Loaded by name, since what Hypothesis takes by itself depends on whether CI is set.
# --hypothesis-profile overrules it.
profiles.register()
settings.load_profile("ci")


@pytest.fixture(scope="session", autouse=True)
def keeper_is_measured() -> Iterator[None]:
    """Have `make coverage` see the keeper, which runs without `site` and so without coverage."""
    with pytest.MonkeyPatch.context() as patch:
        if "COVERAGE_PROCESS_CONFIG" in os.environ:
            script = Path(__file__).with_name("measured_keeper.py")
            patch.setattr("authplugin.process.KEEPER", script)
        yield


@pytest.fixture
def no_process_is_left() -> Iterator[None]:
    """See that what a test has started ends with it.

    A process that plays cases is a subreaper, and so is pytest's once it has: it is the parent of
    the orphans of whatever a test has killed, and nobody else can collect them.
    """
    yield
    if not hasattr(os, "WNOHANG"):
        return
    deadline = time.monotonic() + _GRACE
    with suppress(ChildProcessError):
        while time.monotonic() < deadline:
            os.waitpid(-1, os.WNOHANG)
            os.sched_yield()
        pytest.fail(f"a process is still running {_GRACE:g} s after the test")
