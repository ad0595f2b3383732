"""What --mlrepro-trace costs: pipelines of some 30 ms, plain and traced in turns, as ratios of CPU time.

Run with every version of Python that matters: ``sys.monitoring`` listens from 3.12 on, ``sys.setprofile`` before.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _rounds import Candidate, Target, duration, markdown, measure, save, verdict

from pytest_mlrepro.tracing import Tracer
from pytest_mlrepro.tracing.tracer import Track

LIMIT = 2.5
"""At most so many times the CPU time of the same pipeline without a trace."""


def words(seed: int) -> list[str]:
    """Some text."""
    return [f"w{(seed * 7919 + place * 104729) % 997}" for place in range(3000)]


def vocabulary(texts: list[str]) -> dict[str, int]:
    """Words by number."""
    return {word: place for place, word in enumerate(dict.fromkeys(texts))}


def encode(texts: list[str], known: dict[str, int]) -> np.ndarray:
    """Counts of words."""
    table = np.zeros((300, len(known)))
    np.add.at(table, (np.arange(len(texts)) % 300, [known[word] for word in texts]), 1.0)
    return table


def scale(table: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and deviation 1."""
    return (table - table.mean(axis=0)) / (table.std(axis=0) + 1e-9)


def gram(table: np.ndarray) -> np.ndarray:
    """Products of rows."""
    return table @ table.T


def step(weights: np.ndarray, products: np.ndarray) -> np.ndarray:
    """One step of a power iteration."""
    moved = products @ weights
    return moved / np.linalg.norm(moved)


def arrays() -> float:
    """Text to counts to a leading component: 60 calls of the project's own functions, arrays of up to 2 MB."""
    texts = words(3)
    products = gram(scale(encode(texts, vocabulary(texts))))
    weights = np.ones(300)
    for _ in range(50):
        weights = step(weights, products)
    return float(weights[0])


def tokens(line: str) -> list[str]:
    """Words of a line."""
    return line.lower().split()


def hot() -> int:
    """A small function called 20,000 times, as a tokenizer is."""
    return sum(
        len(tokens("The quick brown fox jumps over the lazy dog and runs away")) for _ in range(20_000)
    )


def forest() -> float:
    """A forest of scikit-learn on 300 rows, returned by a function of the project."""
    from sklearn.ensemble import RandomForestClassifier

    table = np.random.RandomState(0).rand(300, 10)
    return float(fitted(RandomForestClassifier(20, random_state=0), table).score(table, table[:, 0] > 0.5))


def fitted(model, table):  # noqa: ANN001, ANN201
    """The model, fitted."""
    return model.fit(table, table[:, 0] > 0.5)


def frames() -> float:
    """A table of pandas, changed in ten steps."""
    import pandas as pd

    table = pd.DataFrame(np.random.RandomState(0).rand(5000, 8), columns=list("abcdefgh"))
    for name in table.columns:
        table = with_rank(table, name)
    return float(table.to_numpy().sum())


def with_rank(table, name: str):  # noqa: ANN001, ANN201
    """One more column."""
    return table.assign(**{f"{name}_rank": table[name].rank()})


PIPELINES = {"arrays": arrays, "hot function": hot, "forest": forest, "frames": frames}


def traced(run: Callable[[], object], tracer: Tracer) -> Callable[[], object]:
    """The same in a track of its own."""

    def follow() -> object:
        with tracer.following(Track()):
            return run()

    return follow


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path, help="write the tables here too")
    options = parser.parse_args()
    tracer = Tracer(Path(__file__).parent)
    rows = []
    for name, run in PIPELINES.items():
        timings = measure(
            [Candidate("plain", run, 3), Candidate("traced", traced(run, tracer), 3)], options.rounds
        )
        target = Target("traced", "plain", LIMIT)
        ratio = target.ratio(timings)
        assert ratio is not None
        times = (duration(np.median(timings[each].cpu)) for each in ("plain", "traced"))
        rows.append([name, *times, f"{ratio:.2f}", str(target), verdict(target.met(ratio))])
    head = ["pipeline", "plain", "traced", "x", "target", "met"]
    print(f"## Tracing, Python {sys.version.split()[0]}\n\n{markdown(head, rows)}")
    if options.json:
        save(options.json, "tracing", {"times": (head, rows)})


if __name__ == "__main__":
    main()
