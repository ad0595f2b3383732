"""The changes: that each is really another condition, on every kind of machine."""

from __future__ import annotations

import locale
from dataclasses import replace

import pytest
from stress.worlds import MACHINE

from pytest_mlrepro.steadiness import HOLDS
from pytest_mlrepro.stress import machine
from pytest_mlrepro.stress.machine import Machine
from pytest_mlrepro.stress.perturbations import catalogue, clean, pinned, together


def variables(name, **here):
    (found,) = [each for each in catalogue(replace(MACHINE, **here), {}) if each.name == name]
    return dict(found.change.variables)


def lacking(name, **here):
    (found,) = [each for each in catalogue(replace(MACHINE, **here), {}) if each.name == name]
    return found.lacking


def test_there_is_one_of_each_name_in_order():
    assert [each.name for each in catalogue(MACHINE, {})] == [*HOLDS]
    assert {each.name: each.hold for each in catalogue(MACHINE, {})} == HOLDS
    assert {each.name: each.hold for each in catalogue(MACHINE, {"order": "off"})}["order"] == "off"


@pytest.mark.parametrize("seed", ["0", "97", "4242"])
def test_the_hash_seed_is_another_one(seed):
    assert variables("hash", hash_seed=seed)["PYTHONHASHSEED"] != seed
    assert dict(clean(replace(MACHINE, hash_seed=seed), None).variables)["PYTHONHASHSEED"] == seed


@pytest.mark.parametrize("hours", [-11, -8, 0, 1, 5.75, 9, 13])
@pytest.mark.parametrize("zones", [True, False])
def test_the_time_zone_is_far_from_here(hours, zones):
    zone = variables("timezone", ahead=hours * 3600, zones=zones)["TZ"]
    there = {"Pacific/Kiritimati": 14, "LINT-14": 14, "Pacific/Honolulu": -10, "HST10": -10}[zone]
    assert abs(there - hours) >= 10


@pytest.mark.parametrize(
    ("kernels", "other"),
    [(("SkylakeX",), "Haswell"), (("Haswell",), "Nehalem"), (("Zen", "Haswell"), "Nehalem"), ((), "Haswell")],
)
def test_the_kernels_are_those_of_another_processor(kernels, other):
    assert variables("blas", kernels=kernels)["OPENBLAS_CORETYPE"] == other


def test_where_there_is_no_choice_that_is_said():
    arm = {"processor": "aarch64", "kernels": ("neoversen1",)}
    assert variables("blas", **arm) == {"OPENBLAS_CORETYPE": "ARMV8"}
    assert (
        lacking("blas", processor="aarch64", kernels=("armv8",))
        == "OpenBLAS has chosen the oldest kernels already"
    )
    assert lacking("blas", processor="arm64", blas=("accelerate",)) == "accelerate has no choice of kernels"
    assert lacking("blas", blas=()) == "numpy has no choice of kernels"
    assert lacking("blas", blas=("mkl",)) == ""
    assert variables("blas", blas=("mkl",))["MKL_CBWR"] == "COMPATIBLE"
    assert lacking("locale", locale="") == "no other locale is installed"
    assert lacking("timezone", system="win32")


def test_instruction_sets_are_called_as_this_numpy_calls_them():
    assert variables("simd", simd=("AVX2", "AVX512F"))["NPY_DISABLE_CPU_FEATURES"] == "AVX2,AVX512F"
    assert "NPY_DISABLE_CPU_FEATURES" not in variables("simd", simd=())
    assert "GLIBC_TUNABLES" not in variables("simd", glibc=False)
    assert "GLIBC_TUNABLES" not in variables("simd", processor="aarch64")


def test_memory_is_filled_as_each_system_can():
    assert variables("memory")["MALLOC_PERTURB_"] == "165"
    assert variables("memory", glibc=False, system="darwin")["MallocPreScribble"] == "1"
    assert variables("memory", glibc=False, system="win32") == {}


def test_what_two_changes_tell_the_c_library_is_told_both():
    told = dict(together(catalogue(MACHINE, {})).variables)["GLIBC_TUNABLES"]
    assert told == f"{variables('memory')['GLIBC_TUNABLES']}:{variables('simd')['GLIBC_TUNABLES']}"


def test_the_clean_replay_has_one_thread_and_tells_of_unpinned_randomness():
    told = clean(MACHINE, "fail")
    assert dict(told.variables)["OMP_NUM_THREADS"] == dict(told.variables)["OPENBLAS_NUM_THREADS"] == "1"
    assert told.options == ("--mlrepro-guard=warn",)
    assert clean(MACHINE, "pin") == pinned(clean(MACHINE, None))
    assert variables("threads")["OMP_NUM_THREADS"] == "3"
    # Whoever subtracts one from the number of cores has some left.
    assert "PYTHON_CPU_COUNT" not in dict(told.variables)


@pytest.mark.parametrize(("cores", "other"), [(1, "cores:3"), (3, "cores:5"), (8, "cores:3")])
def test_the_number_of_cores_is_another_one(cores, other):
    (found,) = [each for each in catalogue(replace(MACHINE, cores=cores), {}) if each.name == "threads"]
    assert found.change.perturbations == (other,)


def test_this_machine(monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "random")
    assert Machine.here().hash_seed == "0"
    assert Machine.here().cores >= 1
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    assert Machine.here().hash_seed == "7"


def test_a_locale_is_another_one_and_none_is_left_set():
    before = locale.setlocale(locale.LC_COLLATE)
    assert machine._other_locale({"LANG": "de_DE.UTF-8"}) == "C"
    assert machine._other_locale({"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8"}) in ("", *machine._LOCALES)
    assert locale.setlocale(locale.LC_COLLATE) == before


def test_a_locale_that_is_installed_is_found(monkeypatch):
    monkeypatch.setattr(machine, "_LOCALES", ("xx_XX.UTF-8", "POSIX"))
    assert machine._other_locale({}) == "POSIX"
    monkeypatch.setattr(machine, "_LOCALES", ("xx_XX.UTF-8",))
    assert machine._other_locale({}) == ""
