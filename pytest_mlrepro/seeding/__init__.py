"""Pins the random generators of the process, and puts their states back."""

from pytest_mlrepro.seeding.derivation import derive_seed
from pytest_mlrepro.seeding.pinning import Seeding, State

__all__ = ["Seeding", "State", "derive_seed"]
