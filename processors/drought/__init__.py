"""Drought of a whole area, from the weather of a station."""
