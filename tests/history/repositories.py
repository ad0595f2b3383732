"""Git repositories made of a script, by one ``git fast-import``."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from pytest_mlrepro.lockfile import dumps
from pytest_mlrepro.model import Fact, Run

LOCKFILE = "mlrepro.lock"


@dataclass
class Script:
    """Commits in the order in which they are made.

    Attributes:
        stream: for ``git fast-import``.
        count: of commits so far; they are named by their numbers from 1 on.
    """

    stream: list[bytes] = field(default_factory=list)
    count: int = 0

    def commit(
        self, files, *, title="", parents=None, author="Ada", branch="main", seconds=None, remove=(), move=()
    ):
        """Add a commit; without parents it follows the last one. Gives its number."""
        self.count += 1
        parents = ([self.count - 1] if self.count > 1 else []) if parents is None else parents
        message = (title or f"commit {self.count}").encode(errors="surrogateescape")
        when = 1_700_000_000 + (self.count * 3600 if seconds is None else seconds)
        who = f"{author} <{'x'}@y.invalid> {when} +0100".encode()
        lines = [b"commit refs/heads/%s" % branch.encode(), b"mark :%d" % self.count]
        lines += [b"author " + who, b"committer " + who, b"data %d\n%s" % (len(message), message)]
        if parents:
            lines.append(b"from :%d" % parents[0])
            lines += [b"merge :%d" % parent for parent in parents[1:]]
        lines += [b"D %s" % path.encode() for path in remove]
        lines += [b"R %s %s" % (old.encode(), new.encode()) for old, new in move]
        for path, given in files.items():
            content = given.encode() if isinstance(given, str) else given
            lines += [b"M 100644 inline %s" % path.encode(), b"data %d\n%s" % (len(content), content)]
        self.stream += [*lines, b""]
        return self.count

    def lock(self, facts, path=LOCKFILE, **more):
        """Add a commit of a lockfile with these facts: value by address, by subject."""
        return self.commit({path: lockfile(facts)}, **more)

    def make(self, folder: Path, *, checkout="main") -> dict[int, str]:
        """Make the repository; the full names of its commits by number."""
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "-q", "-b", "main")
        marks = folder / ".git" / "marks"
        git(folder, "fast-import", "--quiet", f"--export-marks={marks}", content=b"\n".join(self.stream))
        git(folder, "checkout", "-q", "-f", checkout)
        pairs = (line.split() for line in marks.read_text().splitlines())
        return {int(number[1:]): name for number, name in pairs}


def lockfile(facts, environments=()):
    """The text of a lockfile: value, or fact, by address, by subject; ``environments`` as of a run."""
    run = Run.of({subject: [fact(*pair) for pair in some.items()] for subject, some in facts.items()})
    own = {
        name: {
            subject: {
                address: None if value is None else fact(address, value) for address, value in some.items()
            }
            for subject, some in each.items()
        }
        for name, each in dict(environments).items()
    }
    return dumps(Run(run.subjects, environments=own))


def fact(address, value):
    if isinstance(value, Fact):
        return value
    facet, _, key = address.partition(".")
    return Fact(facet, key, value, better="higher" if key.startswith("f1") else None)


def git(folder, *arguments, content=None):
    who = ("-c", "user.name=x", "-c", "user.email=x@y.invalid", "-c", "protocol.file.allow=always")
    done = subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        input=content,
        capture_output=True,
        check=False,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode(errors="surrogateescape")
