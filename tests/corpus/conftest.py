"""What the tests of the corpus share."""

import pytest

from tests.corpus.subject_programs import compiled


@pytest.fixture(autouse=True)
def every_process_ends(no_process_is_left: None) -> None:
    """Have every test here leave no process."""


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the path of a program that does what it had better not do."""
    return compiled("hostile", tmp_path_factory.mktemp("hostile"))
