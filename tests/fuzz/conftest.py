"""What the tests of the fuzzers share."""

import pytest

from authplugin_fuzz import engines
from authplugin_fuzz.engines import Engine


@pytest.fixture(scope="session")
def atheris() -> None:
    """Skip where there is no atheris."""
    if engines.available() is not Engine.ATHERIS:
        pytest.skip("atheris cannot be imported")
