"""What machines ask: REST and metrics."""
