"""`authplugin serve` and `authplugin login`: a test SSH server, and a client that a plugin helps."""
