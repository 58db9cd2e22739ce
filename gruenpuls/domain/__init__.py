"""The vocabulary every other room speaks; it knows nobody, and touches no disk, network or clock."""
