"""How the schema came to be, step by step; carried by the wheel and run by `gruenpuls.stores.registry.migration`."""
