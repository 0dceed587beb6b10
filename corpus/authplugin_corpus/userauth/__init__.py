"""Vectors of SSH's user authentication: its messages, and dialogues with a server."""
