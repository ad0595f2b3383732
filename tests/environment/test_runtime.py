import platform
import sys

import pytest

from pytest_mlrepro.environment import runtime


def test_python_is_named_with_its_exact_version():
    assert runtime.python() == f"{platform.python_implementation()} {platform.python_version()}"


def test_a_build_without_the_global_lock_is_another_python(monkeypatch):
    monkeypatch.setattr(sys, "abiflags", "t", raising=False)
    assert runtime.python().endswith(" free-threaded")


@pytest.mark.parametrize(
    ("described", "debian", "expected"),
    [
        ({"ID": "debian", "VERSION_ID": "12", "VERSION": "12 (bookworm)"}, "12.5", "debian 12.5"),
        ({"ID": "debian", "VERSION_ID": "12"}, "trixie/sid", "debian 12"),
        (
            {"ID": "ubuntu", "VERSION_ID": "22.04", "VERSION": "22.04.3 LTS (Jammy)"},
            "bookworm/sid",
            "ubuntu 22.04.3",
        ),
        ({"ID": "ubuntu", "VERSION_ID": "22.04"}, "12.5", "ubuntu 22.04"),
        ({"ID": "raspbian", "VERSION_ID": "12"}, "12.5", "raspbian 12"),
        ({"ID": "alpine", "VERSION_ID": "3.20.1"}, "", "alpine 3.20.1"),
        ({"ID": "arch"}, "", "arch"),
        ({}, "", "linux"),
    ],
)
def test_the_patch_level_is_found_where_each_distribution_writes_it(described, debian, expected):
    assert runtime.linux_release(described, debian_version=debian) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux files")
def test_this_machine_is_described_without_kernel_and_host_name():
    told = " ".join((runtime.operating_system(), runtime.release(), runtime.libc()))
    assert told.startswith("Linux ")
    assert platform.release() not in told
    assert platform.node() not in told
    assert runtime.libc().split()[0] in ("glibc", "musl")
