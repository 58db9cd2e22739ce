"""Pictures: pure, from arrays to bytes."""
