"""How hot people feel: thermal indices and what they are made of."""
