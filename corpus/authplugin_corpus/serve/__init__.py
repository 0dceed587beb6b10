"""`authplugin serve` and `authplugin login`: a test SSH server, and a client with a plugin."""
