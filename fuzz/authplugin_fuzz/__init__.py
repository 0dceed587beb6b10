"""Coverage-guided fuzzing of the codec and both roles: targets, mutators, campaigns.

`targets` says what is fuzzed, `layers` what the bytes of an input mean, and `mutator` how one input
becomes another; `harness` runs a target under atheris, `without_atheris` under Hypothesis where
there is no atheris; `campaign` runs many of them.
"""
