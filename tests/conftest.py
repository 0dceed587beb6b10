"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from authplugin_properties import profiles

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
