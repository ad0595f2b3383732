"""Versions that are read part by part say what the whole says."""

from __future__ import annotations

from itertools import pairwise

import pytest
from history.repositories import lockfile
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import RUNS

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.history import snapshots
from pytest_mlrepro.history.snapshots import Reader, Snapshot
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.model import Run

TEST, OTHER = "tests/test_a.py::test_a", "tests/test_b.py::test_b"
FACTS = {TEST: {"results.f1": 0.9, "results.n": 3, "settings.depth": 3}, OTHER: {"results.f1": 0.5}}


def together(snapshot):
    """The run that a snapshot holds, with every number as text: NaN is NaN."""
    shared = {}
    own = {name: {} for name in snapshot.environments}
    for subject, part in snapshot.parts.items():
        assert {*part.subjects, *(each for some in part.environments.values() for each in some)} <= {subject}
        if subject in part:
            shared[subject] = part.facts(subject)
        for name, some in part.environments.items():
            own[name] |= some
    return told(Run(shared, environments=own))


def told(run):
    return (
        {name: repr(sorted(facts.items())) for name, facts in run.subjects.items() if facts},
        {
            name: {
                subject: repr(sorted(facts.items(), key=lambda pair: pair[0]))
                for subject, facts in each.items()
                if facts
            }
            for name, each in run.environments.items()
        },
    )


def outcome(read):
    try:
        return read()
    except LockfileError as error:
        return (error.what, error.where)


def same_as_whole(text, reader=None):
    reader = reader or Reader()
    whole = outcome(lambda: told(Run((run := loads(text, "x")).subjects, environments=run.environments)))
    assert outcome(lambda: together(reader.read(text.encode(), "x"))) == whole
    return whole


@settings(max_examples=20)
@given(RUNS, RUNS)
def test_any_two_versions(one, other):
    reader = Reader()
    for run in (one, other, one):
        same_as_whole(dumps(run), reader)


ENVIRONMENTS = {
    "ci": {TEST: {"results.f1": 0.91, "settings.depth": None}},
    "laptop": {OTHER: {"results.f1": None}, "session": {"libraries.numpy": "2"}},
}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace("\n\n", "\n"),
        lambda text: text.replace("\n\n", "\n\n\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n\n", "\n\n# a remark\n"),
        lambda text: text.replace("\n\n", "\n\n# a remark\n\n"),
        lambda text: text.replace("n = 3", "\nn = 3"),
        lambda text: text.replace("n = 3", "n = [\n\n1,\n\n2]"),
        lambda text: text.replace("n = 3", f'n = """\n\n["{OTHER}".settings]\ndepth = 2\n\n"""'),
        lambda text: text.replace("n = 3", f"n = '''\n\n[\"{OTHER}\".settings]\n\ndepth = 2'''"),
        lambda text: text.replace("n = 3", "n.value = 3"),
        lambda text: f'{text}\n["{TEST}".results]\nextra = 1\n',
        lambda text: f'{text}\n["{TEST}".data]\nextra = "x"\n',
        lambda text: f'{text}\n["{OTHER}".results]\nextra = 1\n',
        lambda text: f'{text}\n["{OTHER}"."results"]\nextra = 1\n',
        lambda text: f'{text}\n["{OTHER}".data]\n\n["{OTHER}".data]\nextra = "x"\n',
        lambda text: f'{text}\n["{OTHER}".data]\n',
        lambda text: f'{text}\n["tests/test_c.py::test_c"]\n',
        lambda text: text.replace("n = 3", f'n = 3\n["{OTHER}".environments]'),
        lambda text: text.replace("n = 3", f'n = 3\n\n\n["{OTHER}".environments]'),
        lambda text: text.replace("n = 3", f'n = 3\n  [ "{OTHER}" . environments ]'),
        lambda text: f"{text}\n[results]\nextra = 1\n",
        lambda text: f"{text}\n[[session]]\nextra = 1\n",
        lambda text: f"{text}\n[session.nonsense]\nextra = 1\n",
        lambda text: f"{text}\nextra = 1\n",
        lambda text: f"extra = 1\n{text}",
        lambda text: f"\n\n{text}",
        lambda text: text.replace('lock-version = "1', 'lock-version = "2'),
        lambda text: text.replace("n = 3", "<<<<<<< ours\nn = 3\n=======\nn = 4\n>>>>>>> theirs"),
        lambda text: text.replace("n = 3", "n = 3\nn = 4"),
        lambda text: text.replace("n = 3", "n = "),
        lambda text: text.replace('"laptop",', ""),
        lambda text: text[: len(text) // 2],
        lambda _: "",
        lambda _: "\n\n\n",
    ],
)
@pytest.mark.parametrize("environments", [{}, ENVIRONMENTS])
def test_files_that_somebody_has_edited(change, environments):
    text = change(lockfile(FACTS, environments))
    same_as_whole(text)
    reader = Reader()
    same_as_whole(lockfile(FACTS, environments), reader)
    same_as_whole(text, reader)


MANY = {**FACTS, "tests/test_c.py::test_c": FACTS[TEST], "tests/test_d.py::test_d": FACTS[OTHER]}


@settings(max_examples=100)
@given(st.data())
def test_any_cut_and_paste(data):
    whole = lockfile(MANY, data.draw(st.sampled_from([{}, ENVIRONMENTS])))
    lines = whole.split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        start, stop, to = (data.draw(st.integers(0, len(lines))) for _ in range(3))
        lines[to:to] = lines[start:stop]
        if data.draw(st.booleans()):
            del lines[start : start + 2]
    same_as_whole("\n".join(lines))
    reader = Reader()
    for text in (whole, "\n".join(lines), whole):
        same_as_whole(text, reader)


def _replaced(draw, lines, mark, change):
    places = [place for place, line in enumerate(lines) if mark in line]
    if places:
        place = draw(st.sampled_from(places))
        lines[place] = change(lines[place])


def _swap(draw, lines):
    blocks = "\n".join(lines).split("\n\n")
    one, other = (draw(st.integers(0, len(blocks) - 1)) for _ in range(2))
    blocks[one], blocks[other] = blocks[other], blocks[one]
    lines[:] = "\n\n".join(blocks).split("\n")


EDITS = {
    "value": lambda draw, lines: _replaced(
        draw, lines, " = ", lambda line: f"{line.partition(' = ')[0]} = 7"
    ),
    "line that is wrong": lambda draw, lines: _replaced(draw, lines, " = ", lambda line: f"{line}."),
    "key": lambda draw, lines: _replaced(
        draw, lines, " = ", lambda line: f"depth = {line.partition(' = ')[2]}"
    ),
    "facet": lambda draw, lines: _replaced(draw, lines, "[", lambda line: f"{line.rpartition('.')[0]}.data]"),
    "subject": lambda draw, lines: _replaced(
        draw, lines, "[", lambda line: f'["{draw(st.sampled_from([*MANY]))}".{line.rpartition(".")[2]}'
    ),
    "line that goes": lambda draw, lines: lines.pop(draw(st.integers(0, len(lines) - 1))),
    "line that comes": lambda draw, lines: lines.insert(
        draw(st.integers(0, len(lines))),
        draw(st.sampled_from(["", "depth = 3", "# a remark", "f1 = [1, 2]"])),
    ),
    "swap": _swap,
}
"""What may be done to the lines of a lockfile: most of it leaves as many blocks as there were."""


@settings(max_examples=100)
@given(st.data())
def test_any_row_of_edits(data):
    reader = Reader()
    texts = [lockfile(MANY, data.draw(st.sampled_from([{}, ENVIRONMENTS])))]
    for _ in range(data.draw(st.integers(1, 5))):
        lines = data.draw(st.sampled_from(texts)).split("\n")
        for _ in range(data.draw(st.integers(1, 2))):
            if lines:
                EDITS[data.draw(st.sampled_from([*EDITS]))](data.draw, lines)
        texts.append("\n".join(lines))
    read = []
    for text in [*texts, texts[0]]:
        same_as_whole(text, reader)
        found = outcome(lambda text=text: reader.read(text.encode(), "x"))
        read += [found] if isinstance(found, Snapshot) else []
    for before, after in pairwise(read):
        for subject in {*before.parts, *after.parts} - {*after.differing(before)}:
            assert (
                together(Snapshot({subject: before.part(subject)}, before.environments))[0]
                == (together(Snapshot({subject: after.part(subject)}, after.environments))[0])
            )


@pytest.mark.parametrize("names", [0, 900])
@pytest.mark.parametrize("most", [1 << 25, 1000])
def test_limits_hold_for_what_is_plain(monkeypatch, names, most):
    environments = {f"a{number}": {} for number in range(names)}
    text = lockfile(FACTS, environments).replace("n = 3", f"n = [{'1, ' * (120 if names else 1100)}1]")
    monkeypatch.setattr("pytest_mlrepro.lockfile.limits.VALUES", most)
    monkeypatch.setattr("pytest_mlrepro.history.snapshots._SMALL", most // 2)
    assert ("too large" in same_as_whole(text)[0]) == (most == 1000)


def test_what_stays_is_read_once():
    reader = Reader()
    before = reader.read(lockfile(FACTS).encode(), "x")
    moved = {**FACTS, TEST: {**FACTS[TEST], "results.f1": 0.8}}
    after = reader.read(lockfile(moved).encode(), "x")
    assert [*after.differing(before)] == [TEST]
    assert after.part(OTHER) is before.part(OTHER)
    # Of the subject that changed too, the table that did not.
    old, new = before.part(TEST).facts(TEST), after.part(TEST).facts(TEST)
    assert old["settings.depth"] is new["settings.depth"]
    assert old["results.n"] is not new["results.n"]


def test_only_what_stands_around_a_change_is_looked_at_again(monkeypatch):
    texts = []

    def watched(name):
        whole = getattr(snapshots, name)
        monkeypatch.setattr(snapshots, name, lambda text, *more: texts.append(text) or whole(text, *more))

    for name in ("_sections", "_blocks", "loads"):
        watched(name)
    many = {f"tests/test_a.py::test_{number}": FACTS[TEST] for number in range(100, 200)}
    reader = Reader()
    reader.read(lockfile(many).encode(), "x")
    name = "tests/test_a.py::test_150"
    without = {known: facts for known, facts in many.items() if not known.endswith("149")}
    for facts, most in (
        ({**many, name: {**FACTS[TEST], "results.f1": 0.8}}, 1),
        (
            {
                **many,
                name: {**FACTS[TEST], "results.f1": 0.8},
                "tests/test_a.py::test_100": {**FACTS[TEST], "results.f1": 0.7},
                "tests/test_a.py::test_199": {**FACTS[TEST], "settings.depth": 2},
            },
            3,
        ),
        ({**many, name: {**FACTS[TEST], "source.train": "before all others"}}, 3),
        ({**many, name: {**FACTS[TEST], "libraries.numpy": "behind all others"}}, 3),
        ({**without, name: {**FACTS[TEST], "source.train": "before all others"}}, 4),
        ({**many, f"{name}_new": FACTS[OTHER]}, 3),
        ({**many, name: {"results.f1": 0.8}, f"{name}_new": FACTS[OTHER]}, 4),
        (without, 3),
    ):
        for version in (facts, many):
            texts.clear()
            reader.read(lockfile(version).encode(), "x")
            assert texts or version is many
            assert sum(name in "".join(texts) for name in many) <= most, texts
            same_as_whole(lockfile(version), reader)


def test_bytes_that_are_no_text():
    with pytest.raises(LockfileError, match=r"not UTF-8 text \(byte 1\)"):
        Reader().read(b"a\xff", "x")
