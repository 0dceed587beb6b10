"""Mutation testing of the codec: see `python -m tests.mutation --help`."""
