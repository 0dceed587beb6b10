"""`python -m tests.hunt`."""

from .hunting import main

main()
