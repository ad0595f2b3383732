"""Is a test reproducible at all: replays under perturbations, and what they come to."""
