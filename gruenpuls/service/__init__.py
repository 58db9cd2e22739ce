"""The composition: three processes, each wired here from the rooms below, and what keeps them running."""
