"""Reading the environment that results were made in, without changing it.

Nothing here returns a path, a user, a host name or a secret.
"""
