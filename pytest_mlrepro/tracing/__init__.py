"""What the project's own functions give back while a test runs, in order, without disturbing it."""

from pytest_mlrepro.tracing.tracer import Tracer

__all__ = ["Tracer"]
