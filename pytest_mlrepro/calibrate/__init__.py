"""How wide a tolerance has to be: replays under many seeds, and the band that they come to."""
