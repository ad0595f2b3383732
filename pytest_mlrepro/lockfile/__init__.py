"""The lockfile: accepted runs as text that is made to be read, reviewed, merged and kept in git."""

from pytest_mlrepro.lockfile.codec import dumps, loads
from pytest_mlrepro.lockfile.files import check_writable, load_lockfile, update_lockfile, write_run

__all__ = ["check_writable", "dumps", "load_lockfile", "loads", "update_lockfile", "write_run"]
