"""The ``mlrepro`` command: reads lockfiles and recorded runs, never imports pytest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from pytest_mlrepro._version import __version__
from pytest_mlrepro.cli.common import FINE, STOPPED, UNUSABLE
from pytest_mlrepro.config import Config, load_config
from pytest_mlrepro.errors import MlreproError
from pytest_mlrepro.visible import line

_COMMANDS = (
    "show",
    "diff",
    "log",
    "fingerprint",
    "accept",
    "review",
    "report",
    "export",
    "stress",
    "calibrate",
    "bisect",
    "verify",
    "check-lockfile",
    "merge-driver",
)
"""In the order of the help. Each is a module of that name, whose ``add(commands)`` says what it takes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status, as pytest's: 0 fine, 1 a drift was found, 2 stopped by Ctrl-C, 4 the input cannot be used.
    """
    words = sys.argv[1:] if arguments is None else arguments
    options = _parser(words).parse_args(words)
    try:
        status = int(options.run(options, _project(Path.cwd())))
        # Now, while a reader that has gone can still be forgiven.
        sys.stdout.flush()
        return status
    except MlreproError as error:
        print(f"mlrepro: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("mlrepro: stopped", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        # The reader (head, less) has seen enough; the interpreter must not try to flush what is left.
        sys.stdout = None
        return FINE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        """Exit as pytest does on wrong usage."""
        self.print_usage(sys.stderr)
        self.exit(UNUSABLE, f"{line(f'{self.prog}: {message}')}\n")


def _parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Knows the command that words begin with; all commands, where they begin with none."""
    parser = _Parser(prog="mlrepro", description="Look at the accepted results of a project's tests.")
    parser.add_argument("--version", action="version", version=f"mlrepro {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    for name in words[:1] if words and words[0] in _COMMANDS else _COMMANDS:
        import_module(f"{__name__}.{name.replace('-', '_')}").add(commands)
    return parser


def _project(folder: Path) -> Config:
    """The settings of the project that a folder belongs to: of the nearest one that has some, or a lockfile."""
    for root in (folder, *folder.parents):
        config = load_config(root)
        if config != Config(root) or config.lockfile_path.exists():
            return config
    return Config(folder)
