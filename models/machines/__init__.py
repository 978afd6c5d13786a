"""The machines: literal transition tables, the signals that drive them, and their graphs."""
