"""Water: what the weather asks for, what a site has left, and the litres it needs."""
