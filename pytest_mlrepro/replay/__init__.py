"""Run a selection of tests again under a described change, and give back what was recorded.

The one mechanism behind the commands that prove something by experiment: they say what is to be changed, and compare
the runs that come back; how a child process is started, in which environment and which checkout, is decided here.
"""

from pytest_mlrepro.replay.change import Change
from pytest_mlrepro.replay.checkouts import Checkouts
from pytest_mlrepro.replay.index import Index
from pytest_mlrepro.replay.replayer import Replay, Replayer
from pytest_mlrepro.replay.witness import Outcome, Witness

__all__ = ["Change", "Checkouts", "Index", "Outcome", "Replay", "Replayer", "Witness"]
