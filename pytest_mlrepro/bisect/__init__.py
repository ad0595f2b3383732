"""Which change makes a result drift: replays of mixtures of before and now."""
