"""Two branches, one lockfile: git merges it with the driver, and where tests are no neighbours without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mlrepro.cli import main
from pytest_mlrepro.lockfile import dumps, load_lockfile, write_run
from pytest_mlrepro.model import Fact, Run, by_address

NAMES = [f"tests/test_model.py::test_{name}" for name in "abcdef"]


def facts(f1=0.9, depth=3):
    values = {"f1": f1, "auc": 0.5, "loss": 0.25}
    return by_address(
        [*(Fact("results", key, value) for key, value in values.items()), Fact("settings", "depth", depth)]
    )


START = Run({name: facts() for name in NAMES}, environments={"ci": {}, "laptop": {}})


class Repository:
    """A git repository with a lockfile."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self.git("init", "-q", "-b", "main")
        self.path = root / "mlrepro.lock"
        self.commit(START)

    def git(self, *arguments: str, status: int = 0) -> str:
        # Only what the repository itself is set to.
        alone = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_CEILING_DIRECTORIES": "/",
        }
        who = ["-c", "user.name=x", "-c", "user.email=x@y.invalid", "-c", "core.autocrlf=false"]
        done = subprocess.run(
            ["git", *who, *arguments],
            cwd=self.root,
            env={**os.environ, **alone},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout
        return done.stdout

    def commit(self, run: Run | str) -> None:
        if isinstance(run, str):
            self.path.write_text(run)
        else:
            write_run(self.path, run)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")

    def branches(self, ours: Run | str, theirs: Run | str) -> None:
        """Commit one on a branch, the other on main."""
        self.git("checkout", "-q", "-b", "theirs")
        self.commit(theirs)
        self.git("checkout", "-q", "main")
        self.commit(ours)

    def merge(self, *, status: int = 0) -> str:
        return self.git("merge", "-q", "--no-edit", "theirs", status=status)


@pytest.fixture
def plain(tmp_path):
    return Repository(tmp_path / "repository")


@pytest.fixture
def driven(plain, capsys, monkeypatch):
    """A repository with the driver."""
    monkeypatch.chdir(plain.root)
    assert main(["merge-driver", "--install"]) == 0
    capsys.readouterr()
    plain.git("add", "-A")
    plain.git("commit", "-q", "-m", "attributes")
    return plain


def with_(run: Run, **tests) -> Run:
    """The run with other facts for some tests; None takes one out."""
    named = {f"tests/test_model.py::test_{name}": some for name, some in tests.items()}
    changed = {**run.subjects, **named}
    return Run(
        {name: some for name, some in changed.items() if some is not None}, environments=run.environments
    )


def own(run: Run, name: str, test: str, **values) -> Run:
    """The run with results that one environment alone has."""
    subject = f"tests/test_model.py::test_{test}"
    some = by_address(Fact("results", key, value) for key, value in values.items())
    before = run.environments[name]
    return Run(run.subjects, environments={**run.environments, name: {**before, subject: some}})


MOVED = facts(f1=0.8, depth=4)
NOT_NEIGHBOURS = [
    (with_(START, a=MOVED), with_(START, d=MOVED), with_(START, a=MOVED, d=MOVED)),
    (with_(START, f=None), with_(START, b=MOVED), with_(START, b=MOVED, f=None)),
    (with_(START, aa=MOVED), with_(START, ee=MOVED), with_(START, aa=MOVED, ee=MOVED)),
    (own(START, "ci", "a", f1=0.7), with_(START, d=MOVED), with_(own(START, "ci", "a", f1=0.7), d=MOVED)),
]
NEIGHBOURS = [
    # The last lines of one and the first of the next.
    (with_(START, b=MOVED), with_(START, c=MOVED), with_(START, b=MOVED, c=MOVED)),
    (with_(START, ab=MOVED), with_(START, ac=MOVED), with_(START, ab=MOVED, ac=MOVED)),
    (with_(START, g=MOVED), with_(START, h=MOVED), with_(START, g=MOVED, h=MOVED)),
    (with_(START, b=None), with_(START, c=MOVED), with_(START, b=None, c=MOVED)),
    # Other facts of one test.
    (with_(START, a=facts(f1=0.8)), with_(START, a=facts(depth=4)), with_(START, a=MOVED)),
    # The same of one test.
    (with_(START, a=MOVED, b=MOVED), with_(START, a=MOVED), with_(START, a=MOVED, b=MOVED)),
    # Each environment has its own of one fact.
    (
        own(START, "ci", "a", f1=0.7),
        with_(own(START, "laptop", "a", loss=0.2), e=MOVED),
        with_(own(own(START, "ci", "a", f1=0.7), "laptop", "a", loss=0.2), e=MOVED),
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("ours", "theirs", "both"), [*NOT_NEIGHBOURS, *NEIGHBOURS])
def test_the_driver_merges_whatever_is_not_the_same_fact(driven, ours, theirs, both):
    driven.branches(ours, theirs)
    driven.merge()
    assert driven.path.read_bytes() == dumps(both).encode()
    assert driven.git("status", "--porcelain") == ""


@pytest.mark.parametrize(("ours", "theirs", "both"), NOT_NEIGHBOURS)
def test_git_alone_merges_tests_that_are_no_neighbours(plain, ours, theirs, both):
    plain.branches(ours, theirs)
    plain.merge()
    assert plain.path.read_bytes() == dumps(both).encode()


def test_two_branches_add_neighbours_with_the_driver_and_conflict_without(driven, tmp_path):
    ours, theirs, both = NEIGHBOURS[1]
    driven.branches(ours, theirs)
    driven.merge()
    assert driven.path.read_bytes() == dumps(both).encode()
    alone = Repository(tmp_path / "alone")
    alone.branches(ours, theirs)
    assert "CONFLICT" in alone.merge(status=1)


def test_a_fact_that_both_changed_is_a_conflict_that_says_which(driven):
    driven.branches(with_(START, a=facts(f1=0.8), b=MOVED), with_(START, a=facts(f1=0.7), c=MOVED))
    said = driven.merge(status=1)
    guide = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
    assert guide.partition("```text output=conflict\n")[2].partition("```")[0] in said
    assert "CONFLICT" in said
    assert driven.git("status", "--porcelain") == "UU mlrepro.lock\n"
    # It can be read, and all else is merged.
    assert load_lockfile(driven.path) == with_(START, a=facts(f1=0.8), b=MOVED, c=MOVED)
    # What it says works.
    theirs = driven.root / "theirs.lock"
    theirs.write_text(driven.git("show", ":3:mlrepro.lock"))
    assert main(["accept", str(theirs), "results.f1", NAMES[0], "--environment", "ci"]) == 0
    assert load_lockfile(driven.path).view("ci").facts(NAMES[0])["results.f1"].value == 0.7


def test_a_side_that_cannot_be_read_leaves_ours(driven):
    ours = with_(START, a=MOVED)
    driven.branches(
        ours, dumps(START).replace('lock-version = "1.1"', 'lock-version = "9.0"').replace("1.0", "9.0")
    )
    said = driven.merge(status=1)
    assert "mlrepro: mlrepro.lock (theirs): its format 9.0 is newer than 1.x" in said
    assert "our side stays as it was; for theirs run: git checkout --theirs -- mlrepro.lock" in said
    assert driven.path.read_bytes() == dumps(ours).encode()


def test_both_sides_bring_a_lockfile_to_a_repository_that_had_none(driven):
    driven.git("rm", "-q", "mlrepro.lock")
    driven.git("commit", "-q", "-m", "x")
    driven.branches(Run({NAMES[0]: facts()}), Run({NAMES[1]: facts()}))
    driven.merge()
    assert load_lockfile(driven.path) == Run({NAMES[0]: facts(), NAMES[1]: facts()})


# Setting it up


@pytest.fixture
def command(plain, capsys, monkeypatch):
    monkeypatch.chdir(plain.root)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(plain.root.parent))

    def run(*arguments):
        status = main(["merge-driver", *map(str, arguments)])
        return status, *capsys.readouterr()

    return run


def test_installing_twice_is_installing_once(plain, command):
    status, out, _ = command("--install")
    assert status == 0
    first, second, third = out.splitlines()
    assert first == ".gitattributes: added mlrepro.lock merge=mlrepro; commit it"
    assert second.startswith("git config of this clone: merge.mlrepro.driver = ")
    assert second.endswith(" -P -m pytest_mlrepro.cli merge-driver %O %A %B %P")
    assert third == "every other clone needs its own: mlrepro merge-driver --install"
    config = (plain.root / ".git" / "config").read_text()
    again = ".gitattributes: as it was (mlrepro.lock merge=mlrepro)\ngit config of this clone: as it was\n"
    assert command("--install") == (0, again, "")
    assert (plain.root / ".gitattributes").read_text() == "mlrepro.lock merge=mlrepro\n"
    assert (plain.root / ".git" / "config").read_text() == config


def test_the_name_of_the_lockfile_moves_no_cursor(plain, command):
    for option in ("--install", "--uninstall"):
        status, out, err = command(option, "--lockfile", plain.root / "a\x1b[2J.lock")
        assert status == 0
        assert "\x1b" not in out + err
        assert r"a\x1b" in out or option == "--uninstall"


def test_uninstalling_takes_out_what_was_put_in(plain, command):
    config = (plain.root / ".git" / "config").read_text()
    (plain.root / ".gitattributes").write_bytes(b"*.png binary\r\n*.txt text")
    command("--install")
    assert (plain.root / ".gitattributes").read_bytes().startswith(b"*.png binary\r\n*.txt text\n")
    assert command("--uninstall") == (
        0,
        ".gitattributes: took out mlrepro.lock merge=mlrepro; commit it\n"
        "git config of this clone: took out merge.mlrepro\n",
        "",
    )
    assert (plain.root / ".gitattributes").read_bytes() == b"*.png binary\r\n*.txt text\n"
    assert (plain.root / ".git" / "config").read_text() == config
    assert command("--uninstall") == (
        0,
        ".gitattributes: as it was\ngit config of this clone: as it was\n",
        "",
    )


def test_an_attributes_file_that_holds_nothing_else_goes(plain, command):
    command("--install")
    assert ".gitattributes: removed, it held nothing else; commit that\n" in command("--uninstall")[1]
    assert not (plain.root / ".gitattributes").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no such name there")
@pytest.mark.parametrize(
    "name", ["my lock.toml", 'a"b.lock', "a[1]*.lock", "#a.lock", "!a.lock", "a\\b.lock", "\u00fc.lock"]
)
def test_git_takes_the_attribute_of_any_name(plain, command, name):
    assert command("--install", "--lockfile", name)[0] == 0
    said = plain.git(
        "-c", "core.quotePath=false", "check-attr", "-z", "merge", "--", name, f"deep/{name}", "other.lock"
    )
    assert said.split("\0")[2::3] == ["mlrepro", "mlrepro", "unspecified"]


def test_the_lockfile_of_a_project_below_the_root(plain, command):
    (plain.root / "deep").mkdir()
    assert command("--install", "--lockfile", "deep/mlrepro.lock")[0] == 0
    assert (plain.root / ".gitattributes").read_text() == "mlrepro.lock merge=mlrepro\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "merge-driver: expected BASE OURS THEIRS PATH, got 0 arguments\ngit calls it so; let it: "),
        (("--install", "a"), "--install, --uninstall: takes no files\nleave them out\n"),
        (("--install", "--lockfile", "../mlrepro.lock"), "that is in no work tree of a git repository\n"),
        (("--install", "--lockfile", "none/mlrepro.lock"), "that is in no work tree of a git repository\n"),
    ],
)
def test_what_it_cannot_do(command, arguments, said):
    status, out, err = command(*arguments)
    assert (status, out) == (4, "")
    assert said in err


def test_without_git(command, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    status, _, err = command("--install")
    assert (status, err) == (
        4,
        "mlrepro: merge-driver: git cannot be run: No such file or directory\ninstall git\n",
    )


def refused(command, option="--install"):
    status, _, err = command(option)
    assert status == 4
    return err


def test_attributes_that_cannot_be_read_or_written_are_told(plain, command, monkeypatch):
    attributes = plain.root / ".gitattributes"
    attributes.write_bytes(b"\xff")
    assert ".gitattributes: cannot be read: 'utf-8' codec" in refused(command)
    attributes.unlink()
    attributes.mkdir()
    assert "mend the file" in refused(command)
    attributes.rmdir()
    opened = Path.open

    def full(self, mode="r", **options):
        if "w" in mode:
            raise OSError(28, "No space left on device")
        return opened(self, mode, **options)

    monkeypatch.setattr(Path, "open", full)
    assert ".gitattributes: cannot be written: No space left on device\ncheck its permissions" in refused(
        command
    )


def test_a_config_that_git_does_not_write_is_told(plain, command):
    (plain.root / ".git" / "config.lock").touch()
    err = refused(command)
    assert "git config: it failed: error: could not lock config file" in err
    assert "check the repository's .git/config" in err


def test_of_many_clashes_some_are_told(plain, command):
    subject = "tests/test_model.py::test_a"
    for name, value in (("base", None), ("ours", 1), ("theirs", 2)):
        many = [Fact("results", f"m{number}", value) for number in range(25) if value]
        write_run(plain.root / name, Run({subject: by_address(many)}))
    status, _, err = command("base", "ours", "theirs", "mlrepro.lock")
    assert status == 1
    assert "mlrepro.lock: 25 facts changed differently on both sides; ours stays" in err
    assert err.count(f"  {subject}\n") == 1
    assert err.count("was nothing, ours 1, theirs 2") == 20
    assert "  and 5 more\n" in err
