"""What must hold of the codec and both roles, and what to try it on.

`laws` are plain functions that any engine can run; `strategies` generate what to run them on with
Hypothesis; `oracles` and `model` say what is right without asking the code under test.
"""
