"""The name of an environment."""

from __future__ import annotations

import re
import sys

import pytest

from pytest_mlrepro.environment.naming import accelerator, default_name, parse_name
from pytest_mlrepro.errors import ConfigError


@pytest.fixture
def devices(tmp_path):
    """A folder of device files."""
    return tmp_path


def test_it_tells_system_architecture_and_python(devices):
    name = default_name({}, devices=devices)
    assert re.fullmatch(r"[a-z]+-(x86_64|arm64|[a-z0-9_]+)-py3\d+t?", name)
    assert f"py3{sys.version_info.minor}" in name
    assert parse_name(name, "here") == name


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        (("Linux", "x86_64"), "linux-x86_64"),
        (("Linux", "aarch64"), "linux-arm64"),
        (("Darwin", "arm64"), "macos-arm64"),
        (("Windows", "AMD64"), "windows-x86_64"),
        (("Some OS/2", "odd cpu"), "some_os_2-odd_cpu"),
    ],
)
def test_the_same_machine_has_one_name(platform, expected, devices, monkeypatch):
    system, machine = platform
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert default_name({}, devices=devices).rpartition("-")[0] == expected


def test_a_gpu_is_told_unless_it_is_hidden(devices):
    (devices / "nvidiactl").touch()
    assert accelerator({}, devices=devices) == ""
    (devices / "nvidia0").touch()
    assert default_name({}, devices=devices).endswith("-cuda")
    assert accelerator({"CUDA_VISIBLE_DEVICES": "0"}, devices=devices) == "cuda"
    for hidden in ("", "-1", " "):
        assert accelerator({"CUDA_VISIBLE_DEVICES": hidden}, devices=devices) == ""


def test_the_other_maker(devices):
    (devices / "kfd").touch()
    assert accelerator({}, devices=devices) == "rocm"
    assert accelerator({"HIP_VISIBLE_DEVICES": "-1"}, devices=devices) == ""


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "x" * 65, 'a"b', "a\nb", "ä"])
def test_what_is_no_name(name):
    with pytest.raises(ConfigError, match="is no name of an environment") as caught:
        parse_name(name, "--mlrepro-environment")
    assert caught.value.where == "--mlrepro-environment"


@pytest.mark.parametrize("name", ["x", "linux-gpu", "CI_2.1+cu128", "x" * 64])
def test_what_is_one(name):
    assert parse_name(name, "here") == name
