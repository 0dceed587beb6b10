"""What the tests of the properties share."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Hypothesis may take five minutes to make what it found as small as can be, after it has found
    # it: a shorter limit would lose the finding.
    for item in items:
        here = item.path.is_relative_to(Path(__file__).parent)
        if here and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(900))
