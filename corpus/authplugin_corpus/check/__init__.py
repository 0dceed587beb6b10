"""Replaying vectors against a program, and judging what it did."""
