"""Whether readings can be trusted: tests after QARTOD, and what networks and batteries tell of a device."""
