"""Where readings and what is known about them are kept."""
