"""The ways out: each takes a message and delivers it, or says why it could not."""
