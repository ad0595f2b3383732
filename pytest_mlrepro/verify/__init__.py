"""Whether a revision still gives what its own lockfile says, in the environment that it froze."""
