"""The registry: everything Grünpuls knows besides the readings themselves, in SQL."""

from gruenpuls.stores.registry.registry import Registry

__all__ = ["Registry"]
