"""Devices and cities made of figures with known truth, for the demo, load and evaluation."""
