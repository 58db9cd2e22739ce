"""Take over weather from files: station records of the Deutscher Wetterdienst and radar grids of hourly rain."""
