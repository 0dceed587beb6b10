#!/bin/bash -eu
# Builds every fuzz target into $OUT; runs in the image that the Dockerfile beside it makes.
# What it is given and what it must leave is held by tests/fuzz/test_clusterfuzzlite.py.

# What they depend on is in the image.
pip3 install --no-deps --force-reinstall .

# The sanitizers are for code in C, of which there is none here. Their library brings a libFuzzer of
# its own, which knows no mutator in Python: without it atheris's own is used, and ours with it.
rm -f "$OUT/sanitizer_with_fuzzer.so"

harnesses=$WORK/harnesses
rm -rf "$harnesses"
python3 -m authplugin_fuzz.bundle "$OUT" "$harnesses"

# Freezing leaves files where it runs.
cd "$WORK"
for harness in "$harnesses"/*.py; do
    # The symbols of atheris's libraries would be most of a target.
    compile_python_fuzzer "$harness" --strip
done
