"""How fast the codec is, and how much memory it takes, beside other libraries in the same run.

    python -m tests.bench [--output bench.json] [--rounds N] [--quick]

`readers` are what can be put behind paramiko, asyncssh and a plain reader, `grammars` construct's,
`minimum` the code without checks; `peers` lists them all, and `framing` puts them behind a receive
buffer. `cases` is what they are given, `agreement` whether all make the same of it, `measuring` how
time is taken, `allocator` what has to be held still for that, `memory` what is asked of memory and
of long input, `runs` all of it in turn, `report` the tables and the JSON file.
"""
