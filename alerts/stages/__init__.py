"""From incidents to messages: small pure stages, each of which keeps or drops with a named reason."""
