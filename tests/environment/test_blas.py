import numpy as np
import pytest

from pytest_mlrepro.environment import blas


def test_every_library_in_the_process_is_told_once():
    np.linalg.svd(np.eye(3))
    from threadpoolctl import threadpool_info

    found = blas.pools()
    told = blas.native(threadpool_info())
    assert {pool.file for pool in found} == {each["filepath"] for each in told}
    assert list(found) == sorted(found)


def test_a_blas_tells_version_layer_and_kernels_but_no_path():
    np.linalg.svd(np.eye(3))
    openblas = [pool for pool in blas.pools() if pool.name == "openblas"]
    for pool in openblas:
        assert str(pool) == f"openblas {pool.version} {pool.layer} {pool.architecture}"
        assert pool.threads >= 1
        assert "/" not in str(pool)


def test_what_a_library_does_not_tell_is_left_out():
    pool = blas.Pool("openmp", "libgomp", "", "", "", 2, "/usr/lib/libgomp.so.1")
    assert str(pool) == "libgomp"


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("7f00-7f01 r-xp 00000000 08:01 5 /usr/lib/libc.so.6\n", False),
        ("7f00-7f01 r-xp 00000000 08:01 5 /x/numpy.libs/libscipy_openblas64_-ff65.so\n", True),
        ("7f00-7f01 r-xp 00000000 08:01 5 /usr/lib/libgomp.so.1\n", True),
        ("7f00-7f01 r-xp 00000000 08:01 5 /opt/intel/libmkl_rt.so.2\n", True),
        (None, True),
    ],
)
def test_what_is_loaded_is_looked_at_before_anybody_is_asked(tmp_path, listed, expected):
    maps = tmp_path / "maps"
    if listed is not None:
        maps.write_text(listed)
    assert blas.may_be_loaded(maps) is expected


def test_a_pool_that_somebody_else_registered_is_none_of_ours():
    # scipy's reader of matrix files does so, with a function, and so an address in memory, as its version.
    pytest.importorskip("scipy.io._fast_matrix_market._fmm_core")
    from threadpoolctl import threadpool_info

    assert "scipy_mmio" in {each["internal_api"] for each in threadpool_info()}
    assert {pool.api for pool in blas.pools()} <= {"blas", "openmp"}


def test_every_name_that_is_known_would_be_seen():
    controllers = pytest.importorskip("threadpoolctl")._ALL_CONTROLLERS
    ours = [each for each in controllers if each.user_api in ("blas", "openmp")]
    prefixes = [name for each in ours for name in each.filename_prefixes]
    assert prefixes
    # On Windows OpenMP has a name of its own, and no list of what is loaded.
    assert [name for name in prefixes if not any(part in name.encode() for part in blas._PARTS)] in (
        [],
        ["vcomp"],
    )
