"""Texts that are nearly lockfiles: those of real runs, with bytes, lines and values changed, lost and doubled."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_mlrepro.lockfile import dumps
from pytest_mlrepro.model import Fact, Run
from pytest_mlrepro.traces import Routine, Seen, Sketch, Step, Trace

FIXTURES = Path(__file__).parents[2] / "fixtures"

_VALUE = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|(?<![\w"])-?\d[\w.+-]*|true|false|nan|inf|\[[^\[\]\n]*\]|\{[^{}\n]*\}'
)
_KEY = re.compile(r'^("(?:[^"\\\n]|\\.)*"|[\w-]+) =', re.MULTILINE)
_HEADER = re.compile(r"^\[.*\]$", re.MULTILINE)

VALUES = (
    *(
        "0",
        "-1",
        "1",
        "2",
        "1.0",
        "nan",
        "-inf",
        "1e308",
        "-0.0",
        "true",
        "false",
        '""',
        '"a"',
        "[]",
        "{}",
        "[[]]",
    ),
    *("9223372036854775807", "1000000000000", "0x" + "f" * 20, "0x" + "f" * 5000, "9" * 400, "9" * 5000),
    *('"\\u0000\\u001b[31m"', '"::error::a"', '"##[error]a"', '"\\n::set-output name=a::b"', '"\\u202e"'),
    *(
        '"../../etc/passwd"',
        '"/etc/passwd"',
        '"C:\\\\a.csv"',
        '"a.csv"',
        '"' + "a" * 300 + '"',
        '"' + "0f" * 40 + '"',
    ),
    *(
        '{ type = "none" }',
        '{ type = "int", value = "' + "f" * 5000 + '" }',
        '{ type = "complex", value = [1, nan] }',
    ),
    *('{ type = "str", value = "edb080" }', '{ type = "absent" }', '{ type = "os.system", value = "true" }'),
    *(
        "[1, 2, 3]",
        "[[1, 2], [3]]",
        '["a", "b"]',
        '[["a", "float64", "0f0f0f0f", 1, 2.0]]',
        '[{ type = "none" }]',
    ),
    *(
        "[1.5, nan, inf]",
        "[0, -5]",
        "[1000000000000, 1000000000000]",
        "1979-05-27",
        "07:32:00",
        "[" * 70 + "]" * 70,
    ),
    *(
        '{ value = 1, detail = { kind = "array" } }',
        "{ value = 1.0, rtol = 1e400 }",
        "{ value = 0.5, atol = -1 }",
    ),
    *(
        '{ value = "mlr1-blake3:00", detail = { kind = "table", rows = 5, columns = [["a", "int64", "00"]] } }',
    ),
    *(
        "{ value = 1.0, band = { high = 1, low = 0, mean = 0, sd = 1, seeds = 20 } }",
        '{ value = 1.0, band = { high = 1, low = 0, mean = 0, sd = 1, seeds = 2, method = "m", alpha = 0.01, '
        'metrics = 1, base = "1-2", values = [0.0, 1.0] } }',
        "{ detail = {} }",
        "'''a\nb'''",
    ),
)
TOKENS = (
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    "=",
    ",",
    ".",
    "\n",
    "#",
    "\\",
    '"""',
    "\0",
    "\ufffd",
    "::",
    "[[",
    "é",
    "\r",
)
KINDS = (
    "array",
    "table",
    "series",
    "index",
    "records",
    "sparse",
    "file",
    "folder",
    "list",
    "dict",
    "estimator",
    "",
)


def corpus() -> list[str]:
    """The lockfiles of the fixture projects, of every format, and a recorded run with a trace."""
    paths = [*sorted(FIXTURES.glob("lockfiles/*.lock")), *sorted(FIXTURES.glob("projects/*/mlrepro.lock"))]
    return [*(path.read_text(encoding="utf-8") for path in paths), _traced()]


def _traced() -> str:
    routine, other = Routine("a.py", 3, "train"), Routine("b.py", 9, "Model.fit", yields=True)
    sums = Sketch(3, 1.5, 2.5, 0, (0.5, 1.0, -0.25))
    steps = (
        Step(routine, Seen("list of 3", "0f" * 8, "1e" * 8, "2d" * 8, sums)),
        Step(other, Seen("int 3", "3c" * 8)),
        Step(routine, Seen("float", "4b" * 8, "5a" * 8, "", Sketch(1, 0.5, 0.5, 0, (0.5,)))),
    )
    trace = Trace(steps, frozenset({("a.py", "train")}), "too many steps")
    facts = (
        Fact("results", "f1", 0.5),
        Fact("data", "x", "mlr1-blake3:00", detail={"kind": "file", "size": 3}),
    )
    return dumps(Run.of({"a.py::test_a": facts}))[:-1] + dumps(Run({}, {"a.py::test_a": trace}))[20:]


def mutated(rng, texts):
    """One text, changed in one to four places.

    Args:
        rng: a ``random.Random``.
        texts: to begin with, and to take pieces from.
    """
    text = rng.choice(texts)
    if rng.random() < 0.7:
        # A few of its tables: so more of what is changed matters, and more is tried in the same time.
        head, *tables = text.split("\n\n")
        text = "\n\n".join([head, *rng.sample(tables, min(len(tables), 3))]) + "\n"
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        text = rng.choice(_EDITS)(rng, text, texts)
    return text


def _value(rng, text, texts):
    return _in_place(rng, _VALUE, text, lambda _: rng.choice(VALUES))


def _swapped(rng, text, texts):
    found = [each.group() for each in _VALUE.finditer(rng.choice(texts))]
    return _in_place(rng, _VALUE, text, lambda _: rng.choice(found))


def _number(rng, text, texts):
    def other(match):
        try:
            return (
                repr(rng.choice((-1, 0, 2, 10**12)) * float(match))
                if "." in match
                else str(rng.randrange(-9, 99))
            )
        except ValueError:
            return rng.choice(KINDS)

    return _in_place(rng, _VALUE, text, other)


def _key(rng, text, texts):
    names = [each.group(1) for each in _KEY.finditer(rng.choice(texts))] or ["a"]
    return _in_place(rng, _KEY, text, lambda _: f"{rng.choice((*names, 'a.b', 'type', 'detail', 'value'))} =")


def _header(rng, text, texts):
    headers = [each.group() for each in _HEADER.finditer(rng.choice(texts))] or ["[a]"]
    return _in_place(rng, _HEADER, text, lambda _: rng.choice(headers))


def _word(rng, text, texts):
    words = (
        "columns",
        "shape",
        "width",
        "parts",
        "names",
        "dtypes",
        "summary",
        "blocks",
        "sketch",
        "rows",
        "kind",
    )
    return text.replace(rng.choice(words), rng.choice(words), 1)


def _line(rng, text, texts):
    lines, place = text.split("\n"), rng.randrange(text.count("\n") + 1)
    other = rng.choice(rng.choice(texts).split("\n"))
    return "\n".join(
        rng.choice((lines[:place] + lines[place + 1 :], [*lines[:place], other, *lines[place:]]))
    )


def _token(rng, text, texts):
    place = rng.randrange(len(text) + 1)
    return (
        text[:place]
        + rng.choice(TOKENS) * rng.choice((1, 1, 2, 200))
        + text[place + rng.choice((0, 0, 1, 5)) :]
    )


def _cut(rng, text, texts):
    return text[: rng.randrange(len(text) + 1)]


def _bytes(rng, text, texts):
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(rng.choice((1, 3))):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    return data.decode("utf-8", "replace")


def _in_place(rng, pattern, text, other):
    found = list(pattern.finditer(text))
    if not found:
        return text
    match = rng.choice(found)
    return text[: match.start()] + other(match.group()) + text[match.end() :]


_EDITS = (
    _value,
    _value,
    _value,
    _swapped,
    _swapped,
    _number,
    _key,
    _key,
    _header,
    _word,
    _line,
    _token,
    _cut,
    _bytes,
)
