"""The dead-letter topic: what is in it, what to do about it, and the way back into the raw topic."""
