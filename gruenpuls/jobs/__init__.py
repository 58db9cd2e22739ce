"""The work that is scheduled."""
