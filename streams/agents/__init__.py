"""The two Faust agents, and the lanes behind them: raw values to events, events to state."""
