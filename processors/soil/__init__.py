"""Soil: what sensors in it say, what it holds, and whether a tree has enough."""
