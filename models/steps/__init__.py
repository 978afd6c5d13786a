"""One step of one entity: a state, an observation, the state after it."""
