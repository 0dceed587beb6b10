"""SSH's user authentication, from the server's side (RFC 4252, RFC 4256)."""
