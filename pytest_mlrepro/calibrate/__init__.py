"""How wide a tolerance has to be: replays under many seeds, and the band that they come to."""

from pytest_mlrepro.calibrate.acceptance import Accepting, refusals
from pytest_mlrepro.calibrate.calibration import Calibrated, Metric, calibrated
from pytest_mlrepro.calibrate.recheck import Recheck, Rechecked, rechecked
from pytest_mlrepro.calibrate.samples import FEWEST, Observations, Sample

__all__ = [
    "FEWEST",
    "Accepting",
    "Calibrated",
    "Metric",
    "Observations",
    "Recheck",
    "Rechecked",
    "Sample",
    "calibrated",
    "rechecked",
    "refusals",
]
