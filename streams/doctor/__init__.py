"""Is everything around the state as it must be?  Each question is one check; none changes anything."""
