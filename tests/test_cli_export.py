"""``mlrepro export``: what it prints and writes, and what it says where it cannot."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import tomli
import yaml
from export.index import serving, wheel
from export.runs import PLATFORM, TEST, libraries
from packaging.pylock import Pylock

from pytest_mlrepro.cli import main, uv
from pytest_mlrepro.cli.uv import ask
from pytest_mlrepro.environment.spelling import UNKNOWN
from pytest_mlrepro.errors import ExportError
from pytest_mlrepro.export import FORMATS
from pytest_mlrepro.export.pylock import Question
from pytest_mlrepro.lockfile import write_run
from pytest_mlrepro.model import SESSION, Fact, Run, by_address

ROOT = Path(__file__).parents[1]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins for uv are shell scripts")
WITH_UV = pytest.mark.skipif(uv.find() is None, reason="uv is not installed")
OTHER = "tests/test_model.py::test_loss"
HERE = {key.replace(".", "__"): "" for key in PLATFORM}
FACTS = {
    # No platform: what is resolved is for this machine.
    SESSION: libraries({"tiny": "1.0", "mine": "0.1 (editable)"}, **HERE),
    TEST: [Fact("results", "f1", 0.95), Fact("settings", "depth", 3)],
    OTHER: [Fact("results", "loss", 0.25), Fact("settings", "depth", 3)],
}
MOVED = {TEST: [Fact("results", "f1", 0.75), FACTS[TEST][1]]}
PARTIAL = {TEST: FACTS[TEST], SESSION: FACTS[SESSION]}
NEW = "tests/test_model.py::test_new"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a lockfile and locks of its own, which is the working folder."""
    (tmp_path / "pyproject.toml").write_bytes(b"[project]\nname = 'x'\n")
    (tmp_path / "uv.lock").write_bytes(b"version = 1\r\n")
    write_run(tmp_path / "mlrepro.lock", Run.of(FACTS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(capsys):
    """Runs the command: its exit status and what it printed."""

    def run(*arguments):
        status = main(["export", *map(str, arguments)])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Puts a shell script in the place of uv; without one there is no uv at all."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", "")

    def write(script):
        (folder / "uv").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "uv").chmod(0o755)

    return write


@pytest.fixture
def index(monkeypatch, tmp_path):
    """The only index that uv knows, with ``tiny``, which requires ``tinier``."""
    wheels = {
        "tiny-1.0-py3-none-any.whl": wheel("tiny", "1.0", "tinier"),
        "tinier-0.5-py3-none-any.whl": wheel("tinier", "0.5"),
    }
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with serving(wheels) as found:
        monkeypatch.setenv("UV_DEFAULT_INDEX", found.with_password)
        yield found


def test_requirements(project, command):
    assert command("--format", "requirements") == (
        0,
        "# what the tests of mlrepro.lock use\n"
        "# mine 0.1: installed in editable mode from a folder of the machine where it was recorded\n"
        "tiny==1.0\n",
        "mlrepro: left out: mine 0.1: installed in editable mode from a folder of the machine where it was recorded\n",
    )


def test_conda_with_channels(project, command):
    status, out, err = command(
        "--format", "conda", "--channel", "mine", "--channel", "https://conda.example/y"
    )
    assert status == 0
    assert yaml.safe_load(out)["channels"] == ["mine", "https://conda.example/y"]
    assert "left out: mine" in err
    assert yaml.safe_load(command("--format", "conda")[1])["channels"] == ["conda-forge"]


def test_cyclonedx_is_about_the_file(project, command):
    status, out, err = command("--format", "cyclonedx")
    assert (status, err) == (0, "")
    digest = sha256((project / "mlrepro.lock").read_bytes()).hexdigest()
    assert json.loads(out)["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": digest}]


def test_intoto_states_what_was_accepted(project, command):
    status, out, err = command("--format", "intoto")
    assert (status, err) == (0, "")
    content = json.loads(out)
    digest = sha256((project / "mlrepro.lock").read_bytes()).hexdigest()
    assert content["subject"] == [{"name": "mlrepro.lock", "digest": {"sha256": digest}}]
    assert content["predicate"]["passedTests"] == [TEST, OTHER]
    configuration = {each["name"]: each["digest"]["sha256"] for each in content["predicate"]["configuration"]}
    assert configuration.keys() == {"pyproject.toml", "uv.lock", "session"}
    assert configuration["pyproject.toml"] == sha256((project / "pyproject.toml").read_bytes()).hexdigest()
    assert configuration["uv.lock"] == sha256(b"version = 1\n").hexdigest()


def test_intoto_claims_nothing_of_a_lock_that_cannot_be_read(project, command, monkeypatch):
    monkeypatch.setattr("pytest_mlrepro.cli.export.locks", lambda *_: {"uv.lock": UNKNOWN})
    (project / "pyproject.toml").unlink()
    (session,) = json.loads(command("--format", "intoto")[1])["predicate"]["configuration"]
    assert session["name"] == "session"


@pytest.mark.parametrize(
    ("facts", "policy", "expected"),
    [
        (FACTS, "", ("PASSED", [TEST, OTHER], [], [])),
        (FACTS | MOVED, "", ("FAILED", [OTHER], [], [TEST])),
        (FACTS | MOVED, 'results = "warn"', ("WARNED", [OTHER], [TEST], [])),
        (FACTS | MOVED, 'results = "note"', ("PASSED", [TEST, OTHER], [], [])),
        (PARTIAL, 'results = "note"\nsettings = "note"', ("FAILED", [TEST], [], [OTHER])),
        (FACTS | {NEW: [Fact("results", "x", 1)]}, "", ("FAILED", [TEST, OTHER], [], [NEW])),
        (FACTS | {SESSION: libraries({"tiny": "1.1"}, **HERE)}, "", ("FAILED", [TEST, OTHER], [], [SESSION])),
    ],
)
def test_intoto_states_what_a_run_gave(project, command, facts, policy, expected):
    (project / "pyproject.toml").write_text(f"[tool.mlrepro.policy]\n{policy}\n")
    write_run(project / "run.lock", Run.of(facts))
    status, out, err = command("--format", "intoto", "--run", "run.lock")
    assert (status, err) == (0, "")
    content = json.loads(out)
    told = content["predicate"]
    assert [each["name"] for each in content["subject"]] == ["mlrepro.lock", "run.lock"]
    assert (told["result"], told["passedTests"], told["warnedTests"], told["failedTests"]) == expected


@pytest.mark.parametrize("form", [each for each in FORMATS if each not in ("pylock", "gitlab-codequality")])
def test_a_file_has_the_bytes_that_are_printed(project, command, form):
    _, out, _ = command("--format", form)
    assert command("--format", form, "-o", "made")[:2] == (0, "")
    assert (project / "made").read_bytes() == out.encode("ascii")
    assert command("--format", form)[1] == out


def test_another_lockfile(project, command):
    write_run(project / "other.lock", Run.of({SESSION: [Fact("libraries", "numpy", "2.4.6")]}))
    assert command("--format", "requirements", "--lockfile", "other.lock")[1].endswith(
        "other.lock use\nnumpy==2.4.6\n"
    )


def test_the_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    assert "example: mlrepro export --format requirements -o requirements.txt" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--format", "pylock", "--channel", "mine"],
            "--channel: is for --format conda, got --format pylock\nleave it out",
        ),
        (
            ["--format", "cyclonedx", "--run", "run.lock"],
            "--run: is for --format intoto, gitlab-metrics, gitlab-codequality, got --format cyclonedx\nleave it out",
        ),
        (
            ["--format", "conda", "--channel", "a b"],
            "--channel: expected a name or an address in ASCII, got 'a b'\ncorrect it",
        ),
        (
            ["--format", "conda", "-o", "./mlrepro.lock"],
            "-o mlrepro.lock: that is the lockfile itself\nname another file",
        ),
        (
            ["--format", "conda", "-o", "no/such/folder"],
            "-o no/such/folder: cannot be written: No such file or directory\nname a file in a writable folder",
        ),
        (
            ["--format", "conda", "--lockfile", "none.lock"],
            "none.lock: there is no such file\nmake one: pytest --mlrepro-update",
        ),
        (
            ["--format", "intoto", "--run", "none.lock"],
            "none.lock: there is no such file\nmake one: pytest --mlrepro-record=none.lock; or fetch what a job of CI "
            "recorded",
        ),
    ],
)
def test_what_cannot_be_done(project, command, arguments, said):
    before = (project / "mlrepro.lock").read_bytes()
    status, out, err = command(*arguments)
    assert (status, out) == (4, "")
    assert err.endswith(f"mlrepro: {said}\n")
    assert (project / "mlrepro.lock").read_bytes() == before


@pytest.mark.parametrize("form", ["requirements", "conda", "pylock"])
def test_a_lockfile_without_libraries(project, command, form):
    write_run(project / "mlrepro.lock", Run.of({TEST: FACTS[TEST]}))
    assert command("--format", form) == (
        4,
        "",
        "mlrepro: mlrepro.lock: no libraries are recorded, so there is nothing to install\n"
        "record them: pytest --mlrepro-update --mlrepro-only=libraries\n",
    )


def test_an_unknown_format(project, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["export", "--format", "docker"])
    assert stopped.value.code == 4
    assert "invalid choice: 'docker'" in capsys.readouterr().err


@WITH_UV
def test_a_lock_of_an_index(project, command, index):
    status, out, err = command("--format", "pylock", "-o", "pylock.toml")
    assert (status, out) == (0, "")
    text = (project / "pylock.toml").read_text()
    lock = Pylock.from_dict(tomli.loads(text))
    assert {each.name: str(each.version) for each in lock.packages} == {"tinier": "0.5", "tiny": "1.0"}
    assert all(each.wheels[0].hashes["sha256"] for each in lock.packages)
    assert "secret" not in text
    assert str(project) not in text
    assert "left out: mine" in err
    assert "added by uv, because something recorded requires it: tinier" in err
    assert command("--format", "pylock")[1] == text


@WITH_UV
@pytest.mark.parametrize("form", ["requirements", "pylock"])
def test_what_is_exported_can_be_installed(project, command, index, form):
    made = {"requirements": "requirements.txt", "pylock": "pylock.toml"}[form]
    assert command("--format", form, "-o", made)[0] == 0
    install = [uv.find(), "pip", "install", "--quiet", "--target", "installed", "-r", made]
    subprocess.run(install, check=True, timeout=60)
    assert {each.name for each in project.glob("installed/*.py")} == {"tiny.py", "tinier.py"}


@WITH_UV
def test_a_lock_under_another_name_is_told(project, command, index):
    assert (
        "installers read only pylock.toml and pylock.NAME.toml, not lock.txt"
        in command("--format", "pylock", "-o", "lock.txt")[2]
    )


@WITH_UV
def test_a_version_that_the_index_does_not_have(project, command, index):
    write_run(project / "mlrepro.lock", Run.of({SESSION: libraries({"tiny": "9.9"}, **HERE)}))
    status, out, err = command("--format", "pylock")
    assert (status, out) == (4, "")
    assert err.startswith("mlrepro: uv pip compile: it found no lock:\n  ")
    assert "tiny==9.9" in err
    assert err.endswith(
        "where another index has these versions name it (UV_INDEX=URL); "
        "or take mlrepro export --format requirements, which asks no index\n"
    )


@WITH_UV
def test_no_index_can_be_reached(project, command, index, monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://user:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    for variable in ({}, {"UV_OFFLINE": "1"}):
        for name, value in variable.items():
            monkeypatch.setenv(name, value)
        status, out, err = command("--format", "pylock")
        assert (status, out) == (4, "")
        assert err.startswith("mlrepro: uv pip compile: no package index can be reached:\n  ")
        assert err.splitlines()[-1].startswith("check the connection, or name an index that can be reached")
        assert "secret" not in err


@POSIX
def test_without_uv(project, command, stand_in):
    assert command("--format", "pylock") == (
        4,
        "",
        "mlrepro: --format pylock: it takes uv, which is not installed: an environment knows neither addresses nor "
        "hashes of what is in it\n"
        "install it: pip install uv; or take mlrepro export --format requirements, which asks no index\n",
    )


@POSIX
def test_an_old_uv(project, command, stand_in):
    stand_in("echo \"error: invalid value 'pylock.toml' for '--format <FORMAT>'\" >&2; exit 2")
    status, _, err = command("--format", "pylock")
    assert status == 4
    assert err.startswith(
        "mlrepro: uv pip compile: it is too old to write a pylock.toml:\n  error: invalid value"
    )
    assert err.endswith("\nupgrade it: pip install --upgrade uv\n")


@POSIX
def test_a_uv_that_never_answers(tmp_path, stand_in):
    stand_in("while :; do :; done")
    with pytest.raises(ExportError) as raised:
        ask(Question("tiny==1.0\n", ()), tmp_path, seconds=0.2)
    assert str(raised.value).startswith(
        "uv pip compile: it has not answered in 0.2 seconds\ntry again; or take"
    )


@POSIX
def test_a_uv_that_cannot_be_run(tmp_path, stand_in):
    stand_in("")
    (tmp_path / "bin" / "uv").write_bytes(b"\0")
    with pytest.raises(ExportError, match="it cannot be run: Exec format error"):
        ask(Question("tiny==1.0\n", ()), tmp_path)


@POSIX
def test_what_uv_says_is_shown_without_secrets_and_control_characters(tmp_path, stand_in):
    stand_in(
        "printf 'error: \\033[31mhttps://user:secret@host/x\\n%0.sline\\n' 1 2 3 4 5 6 7 8 9 10 >&2; exit 1"
    )
    with pytest.raises(ExportError) as raised:
        ask(Question("tiny==1.0\n", ()), tmp_path)
    assert "?[31mhttps://***@host/x" in str(raised.value)
    assert len(raised.value.said) == 8


@POSIX
def test_uv_is_asked_for_the_recorded_python_and_machine(tmp_path, stand_in):
    stand_in('echo "$@"; echo "$MACOSX_DEPLOYMENT_TARGET"; pwd; /bin/cat')
    question = Question("tiny==1.0\n", ("--python-version", "3.12.4"), {"MACOSX_DEPLOYMENT_TARGET": "14.5"})
    said = ask(question, tmp_path).splitlines()
    python = str(Path(sys.executable))
    asked = f"pip compile - --quiet --python {python} --python-version 3.12.4"
    assert said == [asked, "14.5", str(tmp_path.resolve()), "tiny==1.0"]


def test_the_guide_shows_what_is_printed(command, monkeypatch):
    guide = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```text output=requirements\n(.*?)^```$", guide, re.M | re.S)
    monkeypatch.chdir(ROOT / "fixtures" / "projects" / "breast_cancer")
    assert command("--format", "requirements") == (0, shown, "")


def test_the_guide_lists_the_formats():
    guide = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w-]+)` \|", guide, re.M)) >= set(FORMATS)


def test_a_run_for_gitlab(project, command, monkeypatch):
    write_run(project / "run.lock", Run.of(MOVED))
    assert 'fact="f1"} 0.75\n' in command("--format", "gitlab-metrics", "--run", "run.lock")[1]
    assert 'fact="f1"} 0.95\n' in command("--format", "gitlab-metrics")[1]
    (project / "tests").mkdir()
    (project / "tests" / "test_model.py").write_text(f"\n\ndef {TEST.partition('::')[2]}(): ...\n")
    status, out, _ = command("--format", "gitlab-codequality", "--run", "run.lock")
    assert status == 0
    # OTHER did not run: that is no finding.
    (one,) = json.loads(out)
    assert one["location"] == {"path": "tests/test_model.py", "lines": {"begin": 3}}
    monkeypatch.setenv("CI_PROJECT_DIR", str(project.parent))
    (one,) = json.loads(command("--format", "gitlab-codequality", "--run", "run.lock")[1])
    assert one["location"]["path"] == f"{project.name}/tests/test_model.py"


def test_findings_are_those_of_a_run(command, project):
    assert command("--format", "gitlab-codequality") == (
        4,
        "",
        "mlrepro: --format gitlab-codequality: there is nothing to judge\n"
        "name a run that pytest --mlrepro-record=RUN wrote: --run RUN\n",
    )


def test_one_of_several_environments(project, command):
    lockfile = Run(
        by_subject(numpy="2.4.6"),
        environments={"ci": {}, "laptop": {SESSION: by_address([Fact("libraries", "numpy", "2.4.5")])}},
    )
    write_run(project / "mlrepro.lock", lockfile)
    assert "numpy==2.4.5" in command("--format", "requirements", "--environment", "laptop")[1]
    assert "numpy==2.4.6" in command("--format", "requirements", "--environment", "ci")[1]
    assert "numpy==2.4.6" in command("--format", "requirements")[1]
    status, _, err = command("--format", "requirements", "--environment", "lap")
    assert (status, err) == (
        4,
        "mlrepro: --environment: unknown environment 'lap'\ndid you mean 'laptop'? known: ci, laptop\n",
    )


def test_the_environment_that_it_is_run_in(project, command, monkeypatch):
    own = {SESSION: by_address([Fact("libraries", "numpy", "2.4.5")])}
    write_run(
        project / "mlrepro.lock", Run(by_subject(numpy="2.4.6"), environments={"ci": {}, "laptop": own})
    )
    monkeypatch.setenv("MLREPRO_ENVIRONMENT", "laptop")
    assert "numpy==2.4.5" in command("--format", "requirements")[1]


def by_subject(**versions):
    return {SESSION: by_address(Fact("libraries", name, version) for name, version in versions.items())}
