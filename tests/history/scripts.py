"""Random histories of a lockfile, and the naive way to read one."""

from __future__ import annotations

import random

from history.repositories import LOCKFILE, Script, git, lockfile

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import loads

FACETS = ("results", "settings", "data", "source", "libraries")
VALUES = (0.5, 0.25, 1e-300, float("nan"), float("inf"), -0.0, 0.0, 1, True, "x", "a|b", (1, 2.5), None)
BROKEN = ("lock-version = ", "<<<<<<< ours\n", 'lock-version = "9.0"\n', b"\xff")


def scripted(seed, count):
    """A history of so many commits, and where the lockfile was at each of them (empty: nowhere)."""
    rng = random.Random(seed)
    script, paths = Script(), []
    state = {f"tests/test_{number}.py::test": {"results.f1": number / 7} for number in range(4)}
    state["session"] = {"libraries.numpy": "2.0"}
    own = {"ci": {}, "laptop": {}}
    path, there = LOCKFILE, True
    script.lock(state)
    paths.append(path)
    while script.count < count:
        kind = rng.choice(("facts",) * 8 + ("other", "move", "break", "drop", "environment"))
        if kind == "move" and there:
            new = "deep/ml.lock" if path == LOCKFILE else LOCKFILE
            script.commit({}, move=[(path, new)])
            path = new
        elif kind == "other":
            script.commit({"other.txt": str(script.count)})
        elif kind == "break":
            script.commit({path: rng.choice(BROKEN)})
            there = True
        elif kind == "drop" and there:
            script.commit({}, remove=[path])
            there = False
        else:
            _edit(rng, state, own if kind == "environment" else None)
            script.commit({path: lockfile(state, own if rng.random() < 0.9 else {})})
            there = True
        paths.append(path if there else "")
    return script, paths


def _edit(rng, state, own):
    for _ in range(rng.randint(1, 3)):
        subject = rng.choice([*state, f"tests/test_{rng.randrange(9)}.py::test"])
        address = f"{rng.choice(FACETS)}.{rng.choice(['f1', 'a.b', 'x'])}"
        target = state if own is None else own[rng.choice([*own])]
        # What no other test has: none of them is ever taken for another one that was renamed.
        mark = {} if own is not None else {"data.mark": f"of {subject}", "source.mark": f"of {subject}"}
        facts = target.setdefault(subject, mark)
        roll = rng.random()
        if roll < 0.2 and facts:
            del facts[rng.choice([*facts])]
        elif roll < 0.3 and own is not None and address in state.get(subject, {}):
            facts[address] = None
        else:
            facts[address] = rng.choice([value for value in VALUES if value is not None or own is None])
        for name in [name for name, some in target.items() if not some]:
            del target[name]


def naive(folder, names, paths, environments):
    """What each commit changed, read one by one: (subject, address, environment, before, now), or the word gap."""
    found, before = [], {}
    for name, path in zip(names, paths, strict=True):
        now = _values(git(folder, "show", f"{name}:{path}"), environments) if path else None
        if now is None:
            found.append("gap")
            continue
        keys = {(subject, address) for subject, address, _ in {**before, **now}}
        changed = set()
        for key in keys:
            shared = before.get((*key, "")), now.get((*key, ""))
            for where in ("", *environments):
                old, new = before.get((*key, where)), now.get((*key, where))
                if old != new and (not where or (old, new) != shared):
                    changed.add((*key, where, old, new))
        found.append(changed)
        before = now
    return found


def _values(text, environments):
    try:
        text.encode()
        run = loads(text)
    except (LockfileError, UnicodeEncodeError):
        return None
    found = {}
    for name in ("", *environments):
        for subject, fact in run.view(name) if name else run:
            found[subject, fact.address, name] = repr((fact.value, fact.dtype))
    return found
