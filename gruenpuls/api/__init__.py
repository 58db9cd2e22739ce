"""Interfaces for machines, beside the console and on the same port: metrics, and whether all is well."""
