"""HTTP in front of a worker: what it answers, never how the answer came about."""
