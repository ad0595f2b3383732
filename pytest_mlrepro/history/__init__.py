"""What git has of a lockfile, version by version, and of any other file."""

from pytest_mlrepro.history.files import head, versions

__all__ = ["head", "versions"]
