"""A project in a real repository whose test is a Python function of what it would see: nothing is run or installed."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from history.repositories import git

from pytest_mlrepro.cli import bisect, main, replaying
from pytest_mlrepro.environment.naming import default_name
from pytest_mlrepro.errors import ReplayError
from pytest_mlrepro.lockfile import dumps
from pytest_mlrepro.model import Fact, Run
from pytest_mlrepro.replay import Outcome, Replay, Witness

TEST = "test_model.py::test_loss"


@dataclass
class World:
    """What a test sees."""

    folder: Path
    libraries: dict
    environ: dict
    seed: int
    number: int

    def read(self, name):
        return (self.folder / name).read_text()

    def step(self):
        """The number in the module."""
        return int(self.read("model.py").split("=")[1])


@dataclass
class Laboratory:
    """The project, and who replays its test.

    Attributes:
        score: the loss in a world; what it raises the test would raise.
        installed: versions now.
        available: by name all versions that there are, in order.
        clash: says of versions why they do not go together.
        recorded: environment variables that the test records.
        machine: what the session records of it.
        results: what the test records, made of the score.
        machine: what the session records of the machine.
        fails: why the test fails after it has recorded its results; empty where it passes.
        fails_late: whether it has recorded them all by then, or only the first.
    """

    root: Path
    monkeypatch: object
    capsys: object
    score: object
    installed: dict = field(default_factory=dict)
    available: dict = field(default_factory=dict)
    clash: object = lambda versions: ""
    recorded: tuple = ()
    results: object = lambda score: {"loss": score}
    changes: list = field(default_factory=list)
    machine: dict = field(default_factory=dict)
    fails: object = lambda world: ""
    fails_late: bool = True

    def __post_init__(self):
        self.root.mkdir(parents=True)
        if not (self.root.parent / ".git").exists():
            git(self.root, "init", "-q", "-b", "main")
        self.write(
            {
                "pyproject.toml": "",
                "model.py": "STEP = 0",
                "test_model.py": "",
                "train.csv": "1\n2\n",
                "params.yaml": "2\n",
            }
        )
        laboratory = self

        class Index:
            def __init__(self, folder):
                assert folder == laboratory.root

            def releases(self, name, low, high):
                if name not in laboratory.available:
                    raise ReplayError("uv could not ask for versions", where="replay")
                known = laboratory.available[name]
                return tuple(known[known.index(low) + 1 : known.index(high)])

            def clash(self, packages):
                return laboratory.clash(versions(packages))

        def distributions():
            tools = {"pytest": "9.0", "pytest-other": "1.0", "pytest-mlrepro": "0.1"}
            found = {
                name: SimpleNamespace(
                    version=version,
                    is_plugin_of_pytest=name in tools,
                    origin=SimpleNamespace(text=""),
                )
                for name, version in {**tools, **self.installed}.items()
            }
            return SimpleNamespace(by_name=found)

        self.monkeypatch.setattr(bisect, "Index", Index)
        self.monkeypatch.setattr(bisect, "Distributions", SimpleNamespace(read=distributions))
        self.monkeypatch.setattr(replaying, "replayer", self._replayer)
        self.monkeypatch.chdir(self.root)

    def write(self, files):
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        return self

    def commit(self, title, files=()):
        self.write(dict(files))
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "--allow-empty", "-m", title)
        return git(self.root, "rev-parse", "HEAD").strip()

    def commits(self, versions):
        """Commit many versions of some files at once: their titles, and files by name; the commits' names."""
        lines = []
        for number, (title, files) in enumerate(versions, 1):
            when = f"x <x@y.invalid> {1_700_000_000 + number} +0000"
            lines += ["commit refs/heads/main", f"mark :{number}", f"author {when}", f"committer {when}"]
            lines += [
                f"data {len(title)}\n{title}",
                f"from {f':{number - 1}' if number > 1 else 'refs/heads/main^0'}",
            ]
            for name, text in files.items():
                lines += [f"M 100644 inline {name}", f"data {len(text)}\n{text}"]
        marks = self.root / ".git" / "marks"
        stream = "\n".join([*lines, ""]).encode()
        git(self.root, "fast-import", "--quiet", f"--export-marks={marks}", content=stream)
        git(self.root, "reset", "-q", "--hard")
        pairs = (line.split() for line in marks.read_text().splitlines())
        return [name for _, name in sorted((int(mark[1:]), name) for mark, name in pairs)]

    def steps(self, *numbers):
        """Commit the module with each of these numbers."""
        return self.commits([(f"Step {step}", {"model.py": f"STEP = {step}"}) for step in numbers])

    def accept(self, title="Accept the loss"):
        """Accept what the test gives now, and commit everything."""
        run = self.run(World(self.root, self.installed, dict(os.environ), self._seed(self.root), 0))
        (self.root / "mlrepro.lock").write_text(dumps(Run(run.subjects, environments={default_name(): {}})))
        return self.commit(title)

    def bisect(self, *arguments):
        """The exit status, and what was printed."""
        status = main(["bisect", TEST, *arguments])
        out, err = self.capsys.readouterr()
        return status, out, err

    def found(self, *arguments):
        """The document, of a search that names a cause."""
        status, out, err = self.bisect("--json", *arguments)
        assert status == 1, (out, err)
        assert not err
        return json.loads(out)

    def _seed(self, folder):
        text = (folder / "pyproject.toml").read_text()
        return int(text.partition("seed = ")[2].split()[0]) if "seed = " in text else 0

    def run(self, world):
        facts = [Fact("results", key, value) for key, value in self.results(self.score(world)).items()]
        facts += [Fact("assumptions", f"environ.{name}", world.environ.get(name)) for name in self.recorded]
        facts.append(Fact("randomization", "seed", world.seed * 7 + 1, detail={"base": world.seed}))
        session = [Fact("libraries", name, version) for name, version in world.libraries.items()]
        session += [Fact("libraries", key, value) for key, value in self.machine.items()]
        return Run.of({TEST: facts, "session": session})

    def _replayer(self, options, project, tests, *, checkouts):
        return _Replayer(self, checkouts)


@dataclass
class _Replayer:
    laboratory: Laboratory
    checkouts: object

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def replays(self, changes, done=None):
        return tuple(self.replay(change) for change in changes)

    def replay(self, change):
        laboratory = self.laboratory
        laboratory.changes.append(change)
        folder = self.checkouts.folder(change.commit) if change.commit else laboratory.root
        libraries = laboratory.installed
        if change.packages is not None:
            libraries = versions(change.packages)
            if reason := laboratory.clash(libraries):
                return Replay(change, problem=f"uv could not make the environment\n  {reason}")
            libraries = {name: version for name, version in libraries.items() if "pytest" not in name}
        environ = {**os.environ, **dict(change.variables)}
        environ = {name: value for name, value in environ.items() if value is not None}
        seed = laboratory._seed(folder) if change.seed is None else change.seed
        world = World(folder, libraries, environ, seed, len(laboratory.changes))
        try:
            run = laboratory.run(world)
            if reason := laboratory.fails(world):
                recorded = run.facts(TEST)
                if not laboratory.fails_late:
                    recorded = {address: recorded[address] for address in list(recorded)[:1]}
                failed = Witness({TEST: Outcome("failed", reason)}, partial=Run({TEST: recorded}))
                return Replay(change, Run({"session": run.facts("session")}), failed)
        except (ImportError, LookupError, OSError, ValueError) as error:
            failed = Outcome("failed", f"{type(error).__name__}: {error}")
            return Replay(change, Run(), Witness({TEST: failed}))
        return Replay(change, run, Witness({TEST: Outcome("passed")}), seconds=0.5)


def versions(packages):
    return dict(each.split("==") for each in packages if "==" in each)
