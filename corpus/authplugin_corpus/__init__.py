"""Faults, vectors, and what replays them against any program that speaks the plugin protocol.

`authplugin_corpus.faults` makes wrong conversations out of right ones; `authplugin_corpus.vectors`
loads the conversations that are stored; `authplugin_corpus.check` replays these against a program.
"""
