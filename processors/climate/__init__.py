"""Days, nights and places compared: what the air temperature of a season amounts to."""
