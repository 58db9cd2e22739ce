"""The questions that pages, API and commands ask."""
