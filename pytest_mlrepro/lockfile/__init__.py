"""The lockfile: accepted runs as text that is made to be read, reviewed, merged and kept in git."""

from pytest_mlrepro.lockfile.codec import dumps, loads
from pytest_mlrepro.lockfile.files import (
    Edition,
    check_writable,
    load_lockfile,
    read_lockfile,
    update_lockfile,
    write_run,
)
from pytest_mlrepro.lockfile.traces import decode_trace, encode_trace

__all__ = [
    "Edition",
    "check_writable",
    "decode_trace",
    "dumps",
    "encode_trace",
    "load_lockfile",
    "loads",
    "read_lockfile",
    "update_lockfile",
    "write_run",
]
