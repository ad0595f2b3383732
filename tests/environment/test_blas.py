import numpy as np

from pytest_mlrepro.environment import blas


def test_every_library_in_the_process_is_told_once():
    np.linalg.svd(np.eye(3))
    from threadpoolctl import threadpool_info

    found = blas.pools()
    assert {pool.file for pool in found} == {each["filepath"] for each in threadpool_info()}
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
