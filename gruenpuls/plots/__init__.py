"""Pictures of series, drawn on the server."""
