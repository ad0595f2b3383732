import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.environment.variables import INCIDENTAL, NUMERIC, numeric_variables

NAMES = sorted(NUMERIC | INCIDENTAL)


def test_only_those_of_the_list_that_are_set():
    assert numeric_variables({"OMP_NUM_THREADS": "2", "HOME": "/home/alice", "USER": "alice"}) == {
        "OMP_NUM_THREADS": "2"
    }
    assert numeric_variables({}) == {}


def test_set_to_nothing_is_not_unset():
    assert numeric_variables({"OMP_NUM_THREADS": ""}) == {"OMP_NUM_THREADS": ""}


@pytest.mark.parametrize("value", ["", "random"])
def test_a_hash_seed_that_says_any_is_none(value):
    assert numeric_variables({"PYTHONHASHSEED": value}) == {}
    assert numeric_variables({"PYTHONHASHSEED": "0"}) == {"PYTHONHASHSEED": "0"}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("LD_PRELOAD", "/home/alice/lib/libjemalloc.so.2:/opt/x/libiomp5.so", "libjemalloc.so.2 libiomp5.so"),
        ("LD_PRELOAD", " libmkl_rt.so ", "libmkl_rt.so"),
        ("DYLD_INSERT_LIBRARIES", "/Users/alice b/libx.dylib", "<path> libx.dylib"),
        ("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-FMA", "glibc.cpu.hwcaps=-AVX2,-FMA"),
        ("CUBLAS_WORKSPACE_CONFIG", ":4096:8", ":4096:8"),
        ("TZ", "Europe/Berlin", "Europe/Berlin"),
        ("TZ", ":/etc/localtime", ":<path>"),
        ("LANG", "de_DE.UTF-8", "de_DE.UTF-8"),
        (
            "XLA_FLAGS",
            "--xla_dump_to=/home/alice/my dump --xla_gpu_deterministic_ops=true",
            "--xla_dump_to=<path> --xla_gpu_deterministic_ops=true",
        ),
        ("XLA_FLAGS", "--a=~alice/x --b=C:\\Users\\alice --c=../alice", "--a=<path> --b=<path> --c=<path>"),
        ("CUDA_VISIBLE_DEVICES", "GPU-5d5ba0d6-1111,GPU-77", "2 devices"),
        ("CUDA_VISIBLE_DEVICES", "3", "1 device"),
        ("HIP_VISIBLE_DEVICES", "0,1", "2 devices"),
        ("CUDA_VISIBLE_DEVICES", "0,-1,1", "1 device"),
        ("CUDA_VISIBLE_DEVICES", "", "0 devices"),
    ],
)
def test_no_path_and_no_serial_number(name, value, shown):
    assert numeric_variables({name: value}) == {name: shown}


@given(
    name=st.sampled_from(NAMES),
    flag=st.sampled_from(["", "--dump=", "a:", "x,", "y;", '"']),
    parts=st.lists(st.text("abcXYZ09_. é", min_size=1, max_size=9), min_size=1, max_size=4),
    drive=st.sampled_from(["", "C:", "~", "~bob", "..", "."]),
)
def test_an_absolute_path_never_shows_its_folders(name, flag, parts, drive):
    path = drive + "/" + "/".join(["home", "alice secret", *parts])
    shown = numeric_variables({name: flag + path})[name]
    assert "home" not in shown
    assert "alice" not in shown
