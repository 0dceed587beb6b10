"""Oracles for both protocols that share no code with the codec they judge.

* `grammar`: the twelve messages as one declarative `construct` grammar, which parses and builds.
* `cursor`: a plain reader that walks over a frame and refuses with a code, a field and an offset.
* `turns`: who may say what when, from a transition table of its own.
* `userauth`, `userauth_grammar`: the same two readers for SSH's user authentication.
* `server`: what a server of that does, told step by step (`server_steps`) what a client and a
  handler do; with `signatures`, which checks keys and signatures.

Nothing in this folder imports `authplugin`: message layouts, codes and states are typed in anew.

Both readers give a *neutral message*: a plain dict with the type code under ``"type"`` and the
fields under their names. Numbers are int, strings bytes, ``"prompts"`` a list of (bytes, bool)
and ``"responses"`` a list of bytes.
"""

from . import cursor, grammar, turns
from .cursor import Limits, Refused

__all__ = ["Limits", "Refused", "cursor", "grammar", "turns"]
