import getpass
import json
import os
import platform
import sys
from pathlib import Path

import pytest

from pytest_mlrepro.environment.context import context, cpu_quota


def test_what_is_known_of_this_run():
    told = context({})
    assert told["kernel"] == platform.release()
    assert told["compiler"] == platform.python_compiler()
    assert told["cores_of_machine"] == os.cpu_count()
    assert told["tools.pytest"] == pytest.__version__
    assert told["distributions"] > 10
    assert told["installation"] in ("virtual environment", "conda", "system")
    assert "ci" not in told
    json.dumps(told)


@pytest.mark.parametrize(
    ("environ", "service"),
    [
        ({"CI": "true", "GITHUB_ACTIONS": "true"}, "GitHub Actions"),
        ({"CI": "1"}, "unknown"),
        ({"JENKINS_URL": "https://alice:secret@ci.example"}, "Jenkins"),
    ],
)
def test_the_service_is_named_and_not_its_address(environ, service):
    assert context(environ)["ci"] == service
    assert "alice" not in repr(context(environ))


def test_no_path_user_or_host_name():
    told = repr(context(os.environ))
    secrets = {str(Path.home()), sys.prefix, sys.executable, str(Path.cwd())} - {"/"}
    if len(platform.node()) > 3:
        secrets.add(platform.node())
    if getpass.getuser() != "root":
        secrets.add(getpass.getuser())
    assert not [secret for secret in secrets if secret in told]


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("150000 100000\n", 1.5),
        ("max 100000\n", None),
        ("", None),
        ("100000", None),
        ("100000 0", None),
        ("x y z", None),
    ],
)
def test_the_quota_of_a_container(text, cores):
    assert cpu_quota(text) == cores


def test_a_conda_environment_and_a_frozen_application(tmp_path, monkeypatch):
    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert context({})["installation"] == "conda"
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert context({})["installation"] == "frozen application"
