"""A lockfile that is read section by section says what the parser finds in the whole, or is left to it."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import RUNS, TOLERANCES

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.lockfile import dumps, limits, loads, parts, plain
from pytest_mlrepro.lockfile.codec import read_whole
from pytest_mlrepro.lockfile.sections import BETWEEN, cut
from pytest_mlrepro.model import FACET_NAMES, SESSION, Fact, Run, Tolerance, by_address

TEST, OTHER, LAST = "tests/test_a.py::test_a", "tests/test_b.py::test_b", "tests/test_c.py::test_c"
NOTHING_TO_ESCAPE = st.characters(exclude_categories=["Cs"], exclude_characters='"\\\x7f', min_codepoint=32)
TEXTS = st.text(NOTHING_TO_ESCAPE, max_size=12)
SCALARS = st.booleans() | st.floats() | st.integers(-(10**18) + 1, 10**18 - 1) | TEXTS
ROWS = st.lists(SCALARS | st.none(), max_size=30).map(tuple)
VALUES = SCALARS | st.none() | ROWS | st.lists(SCALARS | ROWS, max_size=5).map(tuple)
PLAIN_FACTS = st.builds(
    Fact,
    st.sampled_from(FACET_NAMES),
    TEXTS,
    VALUES,
    dtype=st.sampled_from(["", "float32"]),
    better=st.sampled_from([None, "higher", "lower"]),
    tolerance=st.none() | TOLERANCES,
    detail=st.dictionaries(TEXTS, VALUES, max_size=3),
    # Where a text looks as if a detail began, the parser says what it is.
).filter(lambda fact: "detail = {" not in repr(fact.value) + repr(fact.detail))
PLAIN_SUBJECTS = st.just(SESSION) | TEXTS.map("tests/test_a.py::{}".format)
# Not even what dumps writes has an empty key after a header, which is itself the least.
PLAIN_RUNS = st.builds(
    Run,
    st.dictionaries(
        PLAIN_SUBJECTS,
        st.lists(PLAIN_FACTS.filter(lambda fact: fact.key != ""), min_size=1, max_size=6).map(by_address),
        max_size=5,
    ),
)


def outcome(read, text):
    """What came of it, to the last bit and in order: NaN is NaN, 0.0 is not -0.0, True is not 1."""
    try:
        return repr(read(text, "x"))
    except LockfileError as error:
        return (error.what, error.where, error.remedy)


def same(text):
    """Whether it was read by sections; what came of it is what comes of the whole either way."""
    found = parts.read(text, "x")
    whole = outcome(read_whole, text)
    assert outcome(loads, text) == whole
    assert found is None or repr(found) == whole
    return found is not None


def is_plain(text):
    return None not in plain.subjects_of(cut(text)[1])


@given(PLAIN_RUNS)
def test_plain_facts_are_read_without_the_parser(run):
    text = dumps(run)
    assert is_plain(text)
    assert same(text)
    assert dumps(loads(text)) == text


@given(RUNS)
def test_whatever_is_written_is_read_by_sections(run):
    text = dumps(run)
    assume("'''" not in text)
    assert same(text)


@given(st.text("a\n[]\"'\\= .", max_size=40))
def test_parts_are_the_text(text):
    head, sections = cut(text)
    stripped = text.removesuffix("\n")
    assert BETWEEN.join([head, *sections]) in (stripped, BETWEEN + stripped)
    assert all(section.startswith("[") for section in sections)


def fact_lines(**own):
    return Run.of(
        {
            TEST: [Fact(*name.split("__", 1), value) for name, value in {**FACTS, **own}.items()],
            OTHER: [Fact("results", "f1", 0.5), Fact("results", "n", 1)],
            LAST: [Fact("results", "f1", 0.5)],
            "session": [Fact("libraries", "numpy", "2.4")],
        }
    )


FACTS = {"settings__depth": 3, "results__f1": 0.9, "results__n": 3, "results__is_ok": True, "results__s": "a"}
PLAIN = dumps(fact_lines())
MIXED = dumps(fact_lines(data__x=(1.5, 2.5), results__z=2j))
RICH = dumps(
    Run.of(
        {
            TEST: [
                Fact(
                    "data",
                    "x",
                    "mlr1",
                    detail={"kind": "file", "rows": (("a" * 60, 1), ("b" * 60, 2)), "size": 3},
                ),
                Fact("results", "f1", 0.9, better="higher", tolerance=Tolerance(1e-6, 0.0)),
                Fact("results", "m", ((1, 2), (3, 4)), dtype="int8", tolerance=Tolerance(0.1, 1e-300)),
                Fact("results", "n", None),
            ],
            OTHER: [Fact("randomization", "seed", 3, detail={"base": 0}), Fact("results", "n", 1)],
        }
    )
)
BLOCK = f'\n["{OTHER}".results]\nf1 = 0.5\nn = 1\n'
assert BLOCK in PLAIN


def test_both_kinds_are_tried():
    assert is_plain(PLAIN)
    assert is_plain(RICH)
    assert not is_plain(MIXED)
    assert parts.read(MIXED, "x") is not None


def test_a_plain_section_is_of_one_subject():
    one, other = (f'["{name}".{facet}]\nx = 1' for name, facet in ((TEST, "data"), (OTHER, "results")))
    assert plain.subjects_of([one, other, f"{one}\n\n{other}", f"{one}\n{other}"]) == [
        TEST,
        OTHER,
        None,
        None,
    ]


CHANGES = {
    # Read section by section.
    "nothing": (True, lambda text: text),
    "no line end": (True, lambda text: text[:-1]),
    "keys in another order": (True, lambda text: text.replace("f1 = 0.5\nn = 1", "n = 1\nf1 = 0.5")),
    "sections in another order": (True, lambda text: text.replace(BLOCK, "") + BLOCK),
    "a remark": (True, lambda text: text.replace("n = 1", "n = 1 # a remark")),
    "a remark above": (True, lambda text: text.replace("n = 1", "# a remark\nn = 1")),
    "a block of one": (True, lambda text: text.replace(BLOCK, f"\n# a remark\n{BLOCK}")),
    "an empty line": (True, lambda text: text.replace("n = 1", "\nn = 1")),
    "many empty lines": (True, lambda text: text.replace("\n\n", "\n\n\n\n")),
    "spaces": (True, lambda text: text.replace("n = 1", "n  =  1")),
    "a dotted key": (True, lambda text: text.replace("n = 1", "n.value = 1")),
    "a quoted dot": (True, lambda text: text.replace("n = 1", '"n.value" = 1')),
    "an escape": (True, lambda text: text.replace("n = 1", r'n = "\u0061"')),
    "another sign": (True, lambda text: text.replace("n = 1", "n = +1")),
    "minus nothing": (True, lambda text: text.replace("n = 1", "n = -0")),
    "an exponent": (True, lambda text: text.replace("n = 1", "n = 1e5")),
    "a large exponent": (True, lambda text: text.replace("n = 1", "n = 1e400")),
    "an underscore": (True, lambda text: text.replace("n = 1", "n = 1_000")),
    "hexadecimal": (True, lambda text: text.replace("n = 1", "n = 0x10")),
    "18 digits": (True, lambda text: text.replace("n = 1", "n = " + "9" * 18)),
    "19 digits": (True, lambda text: text.replace("n = 1", "n = " + "9" * 19)),
    "an array over lines": (True, lambda text: text.replace("n = 1", "n = [\n\n1,\n\n2]")),
    "a table in line": (
        True,
        lambda text: text.replace("n = 1", "n = { value = 1.0, rtol = 0.1, atol = 0.0 }"),
    ),
    "other facets": (True, lambda text: text.replace(BLOCK, f'{BLOCK}\n["{OTHER}".data]\nx = "a"\n')),
    "no facts": (True, lambda text: text.replace(BLOCK, f'\n["{OTHER}".results]\n')),
    "no facet": (True, lambda text: text.replace(BLOCK, f'\n["{OTHER}"]\n')),
    "quoted facet": (True, lambda text: text.replace(".results]", '."results"]')),
    "quoted session": (True, lambda text: text.replace("[session.", '["session".')),
    "an escaped subject": (True, lambda text: text.replace(f'"{OTHER}"', r'"tests/\u0061::b"')),
    "a later version": (True, lambda text: text.replace('"1.', '"1.9')),
    # Left to who reads the whole.
    "windows": (False, lambda text: text.replace("\n", "\r\n")),
    "one line end of windows": (False, lambda text: text.replace("n = 1\n", "n = 1\r\n")),
    "half of a line end": (False, lambda text: text.replace("n = 1\n", "n = 1\r")),
    "no empty lines": (False, lambda text: text.replace("\n\n", "\n")),
    "a section twice": (False, lambda text: text + BLOCK),
    "a section in two places": (False, lambda text: text + f'\n["{OTHER}".data]\nx = "a"\n'),
    "a section in other words": (False, lambda text: text + BLOCK.replace("tests", r"\u0074ests")),
    "a table twice": (False, lambda text: text.replace(BLOCK, BLOCK + BLOCK)),
    "a table twice, other keys": (False, lambda text: text.replace(BLOCK, f"{BLOCK}{BLOCK[:-16]}x = 1\n")),
    "a key twice": (False, lambda text: text.replace("n = 1", "n = 1\nn = 2")),
    "a key twice, quoted": (False, lambda text: text.replace("n = 1", 'n = 1\n"n" = 2')),
    "a key twice, far": (False, lambda text: text.replace("f1 = 0.5\nn = 1", "f1 = 0.5\nn = 1\nf1 = 0.6")),
    "an empty key twice": (False, lambda text: text.replace("n = 1", '"" = 1\n"" = 1')),
    "a dotted key twice": (False, lambda text: text.replace("n = 1", "n = 1\nn.value = 1")),
    "a text over lines": (False, lambda text: text.replace("n = 1", f'n = """\n{BLOCK}\n"""')),
    "a text over blocks": (False, lambda text: text.replace(BLOCK, f"\nx = '''\n{BLOCK}\n'''\n")),
    "an array over blocks": (False, lambda text: text.replace(BLOCK, f"\nx = [\n{BLOCK}\n]\n")),
    "conflict markers": (
        False,
        lambda text: text.replace("n = 1", "<<<<<<< ours\nn = 1\n=======\n>>>>>>> a"),
    ),
    "a mark between blocks": (False, lambda text: text.replace(BLOCK, f"\n=======\n{BLOCK}")),
    "a number of 5000 digits": (False, lambda text: text.replace("n = 1", "n = " + "9" * 5000)),
    "a long number": (False, lambda text: text.replace("n = 1", "n = 0x" + "f" * 2000)),
    "a leading zero": (False, lambda text: text.replace("n = 1", "n = 01")),
    "no digit": (False, lambda text: text.replace("n = 1", "n = 1.")),
    "other digits": (False, lambda text: text.replace("n = 1", "n = \u0661")),
    "an open text": (False, lambda text: text.replace("n = 1", 'n = "a')),
    "a control character": (False, lambda text: text.replace("n = 1", 'n = "\x01"')),
    "no value": (False, lambda text: text.replace("n = 1", "n = ")),
    "two values": (False, lambda text: text.replace("n = 1", "n = 1 f1 = 2")),
    "no facet of ours": (False, lambda text: text.replace(".results]", ".nonsense]")),
    "no test": (False, lambda text: text.replace(f'"{OTHER}"', '"tests"')),
    "no subject": (False, lambda text: text + "\n[results]\nx = 1\n"),
    "a list of tables": (False, lambda text: text + "\n[[session]]\nx = 1\n"),
    "the version below": (False, lambda text: text + '\n[lock-version]\nx = "1.0"\n'),
    "environments below": (False, lambda text: text + "\n[environments]\nx = 1\n"),
    "more above": (False, lambda text: f"x = 1\n{text}"),
    "a subject above": (False, lambda text: f'"{OTHER}".data.x = 1\n{text}'),
    "empty lines above": (True, lambda text: f"\n\n{text}"),
    "no version": (False, lambda text: text.split("\n", 1)[1]),
    "a newer format": (False, lambda text: text.replace('"1.', '"2.')),
    "too deep": (False, lambda text: text.replace("n = 1", "n = " + "[" * 101 + "]" * 101)),
    "a key of many parts": (False, lambda text: text.replace("n = 1", ".".join("a" * 40) + " = 1")),
    "half": (False, lambda text: text[: len(text) // 2]),
    "nothing at all": (False, lambda _: ""),
    "a mark of the byte order": (False, lambda text: f"\ufeff{text}"),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("text", [PLAIN, MIXED], ids=["plain", "mixed"])
def test_files_that_somebody_has_edited(name, text):
    by_sections, change = CHANGES[name]
    changed = change(text)
    assert changed != text or name == "nothing"
    assert same(changed) == by_sections


@pytest.mark.parametrize("limit", ["LINES", "TABLES", "VALUES"])
def test_the_limits_hold(limit, monkeypatch):
    monkeypatch.setattr(limits, limit, 3)
    text = PLAIN.replace('s = "a"', 's = "a,b,c,d,e"')
    assert not same(text)
    # Commas in texts are no values: who looks closer sees that.
    assert isinstance(outcome(loads, text), str) == (limit == "VALUES")


def test_who_counts_brackets_is_told_of_all_quotes():
    # To the eye that looks for depth the remark opens a text that ends within the other one, and leaves its brackets.
    one = "x = '''a''''# ''''"
    other = "s = \"''' " + "[" * 200 + '"'
    text = f'lock-version = "1.0"\n\n["{TEST}".results]\n{one}\n\n["{OTHER}".results]\n{other}\n'
    assert not same(text)
    assert "nested too deeply" in outcome(loads, text)[0]


PIECES = [
    *"\n\r\t \"'#=.,[]{}\\-+_0e1ax:\x00\x7f\ufeff\u0661",
    "\n\n",
    '"""',
    "'''",
    "\r\n",
    BLOCK,
    "n = 1\n",
    "nan",
]


@settings(max_examples=400)
@given(st.data(), PLAIN_RUNS | RUNS | st.just(RICH))
def test_any_edit_says_the_same(data, run):
    text = run if isinstance(run, str) else dumps(run)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        stop = start + data.draw(st.sampled_from([0, 0, 0, 1, 1, 2, 5, 40]))
        text = text[:start] + data.draw(st.sampled_from(["", *PIECES])) + text[stop:]
    same(text)


@settings(max_examples=200)
@given(st.data(), st.sampled_from([PLAIN, MIXED, RICH]))
def test_any_cut_and_paste_says_the_same(data, text):
    between = data.draw(st.sampled_from(["\n", "\n", BETWEEN]))
    lines = text.split(between)
    for _ in range(data.draw(st.integers(1, 3))):
        start, stop, to = (data.draw(st.integers(0, len(lines))) for _ in range(3))
        lines[to:to] = lines[start:stop]
        if data.draw(st.booleans()):
            del lines[start : start + 2]
    same(between.join(lines))


def test_facts_are_made_when_they_are_asked_for(monkeypatch):
    made = []
    real = plain.facts_of
    monkeypatch.setattr(plain, "facts_of", lambda text: made.append(text) or real(text))
    run = loads(PLAIN)
    assert [*run.subjects] == ["session", TEST, OTHER, LAST]
    assert OTHER in run
    view = run.view("linux")
    assert not made
    assert view.facts(OTHER)["results.n"] is run.facts(OTHER)["results.n"]
    assert made == [BLOCK.strip()]


@given(RUNS)
def test_a_view_of_what_was_read_is_that_of_the_whole(run):
    text = dumps(run)
    one, whole = loads(text), read_whole(text)
    for name in (*run.environments, "another"):
        assert repr(one.view(name)) == repr(whole.view(name))
        for subject, facts in one.view(name).subjects.items():
            known, own = one.facts(subject), one.environments.get(name, {}).get(subject, {})
            assert all(repr(facts[address]) == repr(known[address]) for address in facts.keys() - own.keys())
    assert repr(one.below("tests/")) == repr(whole.below("tests/"))


def test_a_seed_and_a_version_are_made_into_facts_without_the_parser(monkeypatch):
    monkeypatch.setattr(plain, "_parsed", None)
    facts = [
        Fact("randomization", "seed", 5, detail={"base": 0}),
        Fact("results", "f1", 0.5, dtype="float32", better="higher", tolerance=Tolerance(1e-6, 0.0)),
        Fact("libraries", "numpy", "2.4", detail={"direct": True, "note": "a } b = 1, c"}),
    ]
    run = Run.of({TEST: facts})
    assert repr(loads(dumps(run)).facts(TEST)) == repr(read_whole(dumps(run)).facts(TEST))
