"""What the tests of the corpus share."""

import pytest


@pytest.fixture(autouse=True)
def every_process_ends(no_process_is_left: None) -> None:
    """Have every test here leave no process."""
