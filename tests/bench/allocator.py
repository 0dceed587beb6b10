"""Where glibc takes large blocks from, held still.

glibc takes a large block fresh from the system, which clears every page of it on first use, until
a block as large has been freed once; from then on it may come from what was freed. So the largest
block that anybody ever freed would decide how fast all are that copy a field of 1 MiB, by more
than ten times, and the order of the contestants with it. A program in which nothing as large went
before has fresh memory: that is what counts. What comes out where all memory is used again stands
beside it.
"""

from __future__ import annotations

import ctypes
from typing import Final

# <malloc.h>
M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3

FRESH: Final = 128 * 1024
"""Bytes from which a block comes fresh from the system: what glibc begins with."""

REUSED: Final = 32 * 1024 * 1024
"""As much as glibc allows."""


def hold(threshold: int) -> bool:
    """Take blocks of `threshold` bytes or more fresh from the system, and no others, from now on.

    Returns whether it took effect: only glibc has the means.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    settings = ((M_MMAP_THRESHOLD, threshold), (M_TRIM_THRESHOLD, 2 * threshold))
    return all(mallopt(name, value) == 1 for name, value in settings)
