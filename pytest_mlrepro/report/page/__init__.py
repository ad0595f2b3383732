"""The report as a web page: one file that needs no network. Everything in it is read off the JSON report."""

from pytest_mlrepro.report.page.history import NO_HISTORY, Histories, Point
from pytest_mlrepro.report.page.rendering import written

__all__ = ["NO_HISTORY", "Histories", "Point", "written"]
