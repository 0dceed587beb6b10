"""Coverage-guided fuzzing of the codec and both roles: targets, a mutator, campaigns.

`targets` says what is fuzzed and what the bytes of an input mean; `harness` runs a target under
atheris, `without_atheris` under Hypothesis where there is no atheris; `campaign` runs many of them.
"""
