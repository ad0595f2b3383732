"""Secrets: none reaches a file that is committed, a report, or what a run prints."""

from __future__ import annotations

import pytest

TEST = """
import os
from dataclasses import dataclass


@dataclass
class Service:
    url: str
    dsn: str


def connect():
    return {"TEAM_DSN": os.environ["TEAM_DSN"], "n": 3}


def test_one(mlrepro):
    mlrepro.environ("TEAM_DSN", "DB_PASSWORD", "REGION")
    mlrepro.settings(Service("https://a.example", os.environ["TEAM_DSN"]), name="service")
    mlrepro.settings(dict(os.environ), name="everything")
    mlrepro.assume("audit_dsn", os.environ["TEAM_DSN"])
    mlrepro.metric("n", connect()["n"])
"""
SETTINGS = '[tool.pytest.ini_options]\n[tool.mlrepro]\nsecrets = ["*_DSN", "dsn", "OPENBLAS_COR*"]\n'
OLD = {
    "TEAM_DSN": "hush-hush-1",
    "DB_PASSWORD": "mum-mum-1",
    "REGION": "eu-1",
    "OPENBLAS_CORETYPE": "Haswell",
}
NEW = {
    "TEAM_DSN": "hush-hush-2",
    "DB_PASSWORD": "mum-mum-2",
    "REGION": "eu-2",
    "OPENBLAS_CORETYPE": "Prescott",
}
TOLD = ("hush-hush", "mum-mum", "Haswell", "Prescott")


@pytest.fixture
def project(empty):
    return empty.write({"pyproject.toml": SETTINGS, "test_model.py": TEST}).setenv(**OLD)


def everything(result, *names):
    return "\n".join([result.output, *((result.project.root / name).read_text() for name in names)])


def test_a_secret_is_told_to_nobody(project):
    written = project.update("-v").ok()
    changed = project.setenv(**NEW)
    files = ("out.json", "out.md", "run.lock")
    options = ("--mlrepro-report=out.json", "--mlrepro-report=out.md", "--mlrepro-record=run.lock")
    red = changed.check("-vv", "--mlrepro-trace", "--junitxml=junit.xml", *options).red()
    diff = changed.command("diff", "run.lock")
    shown = changed.command("show", "--json").ok()
    told = [
        everything(written, "mlrepro.lock"),
        everything(red, *files, "junit.xml"),
        everything(diff),
        everything(shown),
    ]
    assert [word for word in TOLD if word in "".join(told)] == []
    # What is no secret is told, so the search above would have found the others.
    assert "eu-1" in told[0]
    assert all("eu-2" in each for each in told[1:3])
    assert "changed (a secret: only its digest is recorded)" in red.output
    assert {"assumptions.environ.TEAM_DSN", "assumptions.audit_dsn", "settings.service.dsn"} <= red.drifts()
