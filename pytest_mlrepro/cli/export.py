"""``mlrepro export``: read the lockfile, write what it holds in another format."""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from pytest_mlrepro.balance import contrast
from pytest_mlrepro.cli import common, uv, views
from pytest_mlrepro.cli.judging import terms
from pytest_mlrepro.config import Config
from pytest_mlrepro.environment.locks import digest, locks
from pytest_mlrepro.environment.spelling import UNKNOWN
from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.export import FORMATS, Document, Source
from pytest_mlrepro.export.codequality import Place, codequality, line_of
from pytest_mlrepro.export.conda import CHANNELS, conda
from pytest_mlrepro.export.cyclonedx import cyclonedx
from pytest_mlrepro.export.intoto import Verdicts, accepted, intoto
from pytest_mlrepro.export.openmetrics import openmetrics
from pytest_mlrepro.export.pylock import NAME, answer, question
from pytest_mlrepro.export.requirements import requirements
from pytest_mlrepro.lockfile import load_lockfile
from pytest_mlrepro.model import SESSION, Run
from pytest_mlrepro.visible import line

_OF_RUNS = ("intoto", "gitlab-metrics", "gitlab-codequality")
_CHANNEL = re.compile(r"[!-~]+")


def add(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = commands.add_parser(
        "export",
        help=f"the lockfile, or a run, in another format: {', '.join(FORMATS)}",
        description="Write what the lockfile holds so that other tools can read it: the environment to be installed "
        "again (requirements, pylock, conda), a bill of materials with the models, their metrics and data "
        "(cyclonedx), an unsigned statement that the tests passed (intoto). Of a recorded run: its metrics, and its "
        "drifts, as GitLab reads them (gitlab-metrics, gitlab-codequality).",
        epilog="example: mlrepro export --format requirements -o requirements.txt",
    )
    command.add_argument("--format", required=True, choices=FORMATS, help="what to write")
    command.add_argument("-o", "--output", metavar="FILE", help="where to; default: print it")
    command.add_argument("--lockfile", metavar="PATH", help="default: the project's mlrepro.lock")
    command.add_argument(
        "--environment",
        metavar="NAME",
        help="of the lockfile; default: this one, or the only one that is recorded",
    )
    command.add_argument(
        "--channel",
        action="append",
        default=[],
        help=f"conda: a channel, first choice first; repeatable (default: {', '.join(CHANNELS)})",
    )
    command.add_argument(
        "--run",
        metavar="RUN",
        dest="recorded",
        help="intoto, gitlab-metrics, gitlab-codequality: the run to tell of, written by pytest --mlrepro-record=RUN; "
        "without it the statement is that each test passed when it was last accepted, and the metrics are those "
        "that were accepted",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace, project: Config) -> int:
    """Write the export; what its format has no place for goes to the standard error.

    Returns:
        0.

    Raises:
        MlreproError: if there is no such lockfile, it lacks what the format needs, or the file cannot be written.
    """
    _check(options)
    path = common.lockfile(options, project)
    lockfile = load_lockfile(path)
    if options.environment is not None:
        accepted_run = views.named(lockfile, options.environment, "--environment")
    elif options.recorded:
        accepted_run = views.alike(lockfile, common.recorded(options.recorded))
    else:
        accepted_run = views.here(lockfile, os.environ.get("MLREPRO_ENVIRONMENT") or project.environment)
    made = _document(options, project, path, accepted_run)
    for note in (*made.notes, *_about_name(options)):
        print(line(f"mlrepro: {note}"), file=sys.stderr)
    if options.output:
        _write(Path(options.output), made.text, path)
    else:
        print(made.text, end="")
    return common.FINE


def _check(options: argparse.Namespace) -> None:
    for value, option, needed in (
        (options.channel, "--channel", ("conda",)),
        (options.recorded, "--run", _OF_RUNS),
    ):
        if value and options.format not in needed:
            raise ConfigError(
                f"is for --format {', '.join(needed)}, got --format {options.format}",
                where=option,
                remedy="leave it out",
            )
    if options.format == "gitlab-codequality" and not options.recorded:
        raise ConfigError(
            "there is nothing to judge",
            where="--format gitlab-codequality",
            remedy="name a run that pytest --mlrepro-record=RUN wrote: --run RUN",
        )
    for channel in options.channel:
        if not _CHANNEL.fullmatch(channel):
            raise ConfigError(
                f"expected a name or an address in ASCII, got {channel!r}",
                where="--channel",
                remedy="correct it",
            )


def _document(options: argparse.Namespace, project: Config, path: Path, run: Run) -> Document:
    source = _source(path)
    match options.format:
        case "requirements":
            return requirements(run, source)
        case "conda":
            return conda(run, source, options.channel or CHANNELS)
        case "pylock":
            asked = question(run, source)
            return answer(asked, uv.ask(asked, project.root))
        case "cyclonedx":
            return cyclonedx(run, source)
        case "gitlab-metrics" | "gitlab-codequality":
            return _for_gitlab(options, project, path, run)
        case _:
            return _statement(options, project, path, run)


def _for_gitlab(options: argparse.Namespace, project: Config, lockfile: Path, accepted_run: Run) -> Document:
    current = common.recorded(options.recorded) if options.recorded else accepted_run
    if options.format == "gitlab-metrics":
        return openmetrics(current)
    # What did not run is no drift.
    known = {name: accepted_run.facts(name) for name in current.subjects if name in accepted_run}
    baseline = replace(accepted_run, subjects=known)
    root = Path(os.environ.get("CI_PROJECT_DIR") or project.root)

    def place(subject: str) -> Place:
        file = lockfile if subject == SESSION else project.root / subject.partition("::")[0]
        shown = Path(os.path.relpath(file, root)).as_posix()
        try:
            return shown, 1 if subject == SESSION else line_of(subject, file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            return shown, 1

    return codequality(contrast(current, terms(project, baseline)), place)


def _statement(options: argparse.Namespace, project: Config, path: Path, run: Run) -> Document:
    configuration = {name: told for name, told in locks(project.root, path.parent).items() if told != UNKNOWN}
    settings = digest(project.root / "pyproject.toml")
    if settings != UNKNOWN:
        configuration["pyproject.toml"] = settings
    if not options.recorded:
        return intoto(run.facts(SESSION), [_source(path)], configuration, accepted(run, path.name))
    recorded = Path(options.recorded)
    current = common.recorded(options.recorded)
    sources = [_source(path), _source(recorded)]
    return intoto(current.facts(SESSION), sources, configuration, _judged(run, current, project))


def _judged(baseline: Run, current: Run, project: Config) -> Verdicts:
    judged = contrast(current, terms(project, baseline)).judgements
    failed = {each.subject for each in judged if each.red}
    # Facts may be left out by policy; a whole subject that did not run has not passed.
    failed |= baseline.subjects.keys() - current.subjects.keys()
    warned = {each.subject for each in judged if each.warned} - failed
    passed = current.subjects.keys() - failed - warned - {SESSION}
    return Verdicts(sorted(passed), sorted(warned), sorted(failed))


def _source(path: Path) -> Source:
    return Source(path.name, sha256(path.read_bytes()).hexdigest())


def _about_name(options: argparse.Namespace) -> tuple[str, ...]:
    if options.format != "pylock" or not options.output or NAME.fullmatch(Path(options.output).name):
        return ()
    return (f"installers read only pylock.toml and pylock.NAME.toml, not {Path(options.output).name}",)


def _write(target: Path, text: str, lockfile: Path) -> None:
    if os.path.realpath(target) == os.path.realpath(lockfile):
        raise ConfigError("that is the lockfile itself", where=f"-o {target}", remedy="name another file")
    try:
        target.write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {error.strerror}",
            where=f"-o {target}",
            remedy="name a file in a writable folder",
        ) from None
