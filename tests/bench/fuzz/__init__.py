"""How fast the fuzz targets are, and how soon they reach what is known to be there.

    python -m tests.bench.fuzz rates [TARGET...]
    python -m tests.bench.fuzz edges [TARGET...] [--folder .fuzz]

`rates` compares with a target that does nothing, `edges` with the corpora of a folder, both in CPU
time: the machines that this runs on are busy with other things. `alone` is a harness whose mutator
or target can be left out, `process` runs harnesses and says what they took, `covered` names what
inputs reach in the codec.
"""
