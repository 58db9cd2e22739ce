"""What a device says and how it is read: one declaration per device, proven by its own examples."""
