"""Whether bands keep their promise, and what a recheck sees.

::

    OMP_NUM_THREADS=1 python benchmarks/calibration.py --json calibration.json

First table: ten metrics of the fixture projects, calibrated over 20 seeds and checked with 200 others. Second table:
models with faults that were planted on purpose, each against its own calibration, by a recheck of ten pairs of seeds
and by one run against its band. Rates come with their 95 % confidence interval (Clopper and Pearson).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from shutil import copytree
from typing import Any

from _fixtures import PROJECTS, SUBJECTS, observed
from _regressions import CONDITIONS, DATA, Pair, pairs, values

from pytest_mlrepro.calibrate.calibration import ALPHA, PAIRS, calibrated
from pytest_mlrepro.calibrate.intervals import interval
from pytest_mlrepro.calibrate.pairs import Pairs
from pytest_mlrepro.calibrate.pairs import pairs as paired
from pytest_mlrepro.calibrate.samples import Observations
from pytest_mlrepro.model import Fact

SEEDS = 20
FRESH_FROM = 1001
DRAWS = 200
GROUPS = 4
LEVEL = 1e-3
SCENARIOS = {"split and model vary with the seed": True, "only the model varies with the seed": False}
MEASURED = {"5 % label noise": 24, "half of the rows": 13, "a fifth of the model": 52}
"""What a paired test of ten seeds found before, in per cent."""


def confidence(hits: int, count: int, level: float = 0.95) -> tuple[float, float]:
    """Of a rate that was seen ``hits`` times in ``count``: Clopper and Pearson, from the beta distribution."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(hits, count - hits + 1, tail)) if hits else 0.0
    return low, float(betaincinv(hits + 1, count - hits, 1 - tail)) if hits < count else 1.0


def told(hits: int, count: int) -> str:
    """A rate in per cent, with its interval."""
    low, high = confidence(hits, count)
    return f"{100 * hits / count:.2f} % ({100 * low:.2f} to {100 * high:.2f})"


# The promise


def promise(fresh: int, show: bool) -> dict[str, Any]:
    """Calibrate over seeds 1 to 20, check with others, and do the same with other twenties."""
    later = [*range(FRESH_FROM, FRESH_FROM + fresh)]
    seeds = [*range(1, SEEDS + 1), *later]
    with ProcessPoolExecutor(2) as pool:
        work = {place: pool.submit(observed, *place, seeds) for place in SUBJECTS}
        found = {place: future.result() for place, future in work.items()}
    facts: dict[int, dict[str, dict[str, Fact]]] = {
        seed: {
            f"{project}::{test}": {by[seed].address: by[seed] for by in metrics.values()}
            for (project, test), metrics in found.items()
        }
        for seed in seeds
    }
    single = _alarms(facts, seeds[:SEEDS], later)
    draw = random.Random(0)
    drawn = [
        _alarms(facts, chosen, [seed for seed in seeds if seed not in chosen])
        for chosen in _draws(draw, seeds)
    ]
    result = {
        "metrics": sum(len(keys) for _, keys in SUBJECTS.values()),
        "promised": ALPHA,
        "fresh": len(later),
        "runs with an alarm": single[0],
        "alarms by metric": single[1],
        "over other twenties": [hits / (len(seeds) - SEEDS) for hits, _ in drawn],
    }
    if show:
        result["compared with replays"] = _same_as_replays(found)
    return result


def _draws(draw: random.Random, seeds: Sequence[int]) -> Iterator[list[int]]:
    for _ in range(DRAWS):
        yield sorted(draw.sample(seeds, SEEDS))


def _alarms(
    facts: dict[int, dict[str, dict[str, Fact]]], chosen: Iterable[int], others: Iterable[int]
) -> tuple[int, dict[str, int]]:
    """In how many of the other runs one metric at least is outside of its band, and each metric in how many."""
    metrics = calibrated(Observations({seed: facts[seed] for seed in chosen})).metrics
    by_metric = {f"{each.sample.subject} {each.sample.key}": 0 for each in metrics}
    runs = 0
    for seed in others:
        outside = [
            f"{each.sample.subject} {each.sample.key}"
            for each in metrics
            if facts[seed][each.sample.subject][each.sample.address].value not in each.band
        ]
        runs += bool(outside)
        for name in outside:
            by_metric[name] += 1
    return runs, by_metric


def _same_as_replays(found: dict[tuple[str, str], dict[str, dict[int, Fact]]]) -> int:
    """How many values of ``mlrepro calibrate`` were compared with those of the code alone; they must be the same."""
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for (project, test), metrics in found.items():
            root = Path(folder, project)
            copytree(PROJECTS / project, root)
            name = test.partition("[")[0]
            ran = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "pytest_mlrepro.cli",
                    "calibrate",
                    name,
                    "--runs",
                    "5",
                    "--json",
                    "-j",
                    "1",
                ],
                cwd=root,
                env={**os.environ, "MLREPRO_CACHE": str(Path(folder, "cache"))},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            for each in json.loads(ran.stdout)["metrics"]:
                if each["subject"] != test or each["key"] not in metrics:
                    continue
                for seed, value in zip(each["band"]["base"], each["band"]["values"], strict=True):
                    if metrics[each["key"]][seed].value != value:
                        raise SystemExit(f"{test}, {each['key']}, seed {seed}: not what a replay gives")
                    count += 1
    return count


# The power


def _column(job: tuple[Pair, str, bool]) -> list[dict[str, float]]:
    pair, condition, split = job
    return [values(pair, condition, seed, split=split) for seed in range(PAIRS * GROUPS)]


def power(chosen: Sequence[Pair], *, split: bool) -> dict[str, dict[str, list[int]]]:
    """By condition: how often it was called another model, and of how many."""
    jobs = [(pair, condition, split) for pair in chosen for condition in CONDITIONS]
    with ProcessPoolExecutor(2) as pool:
        columns = dict(zip(jobs, pool.map(_column, jobs), strict=True))
    found: dict[str, dict[str, list[int]]] = {
        condition: {name: [0, 0] for name in ("recheck", "paired", "one run")} for condition in CONDITIONS[1:]
    }
    for pair in chosen:
        before = columns[pair, CONDITIONS[0], split]
        for condition in CONDITIONS[1:]:
            now = columns[pair, condition, split]
            for metric in before[0]:
                old, new = [each[metric] for each in before], [each[metric] for each in now]
                tested = [*_rechecks(old, new)]
                _count(found[condition]["recheck"], (each.chance < LEVEL for each in tested))
                _count(found[condition]["paired"], (each.paired < LEVEL for each in tested))
                _count(found[condition]["one run"], _single_runs(old, new))
    return found


def _count(counts: list[int], decisions: Iterable[bool]) -> None:
    for decision in decisions:
        counts[0] += decision
        counts[1] += 1


def _rechecks(old: list[float], new: list[float]) -> Iterator[Pairs]:
    """Each ten of seeds decides by itself, against the twenty of which it is a half."""
    for first in range(0, len(old), PAIRS):
        group, half = slice(first, first + PAIRS), first - first % SEEDS
        yield paired(old[group], new[group], old[half : half + SEEDS])


def _single_runs(old: list[float], new: list[float]) -> Iterator[bool]:
    """The first twenty seeds are calibrated; every other one is a run."""
    band = interval(old[:SEEDS], LEVEL, 1e-9 * max(map(abs, old)))
    assert band is not None
    yield from (not band.low <= value <= band.high for value in new[SEEDS:])


# Telling


def promise_lines(found: dict[str, Any]) -> Iterator[str]:
    """The first table."""
    many = found["over other twenties"]
    above = sum(each > found["promised"] for each in many) / len(many)
    yield f"{found['metrics']} metrics, calibrated over {SEEDS} seeds, {found['fresh']} fresh seeds each"
    yield ""
    yield "| | runs with a false alarm in any metric |"
    yield "|---|---|"
    yield f"| promised | {100 * found['promised']:g} % |"
    yield f"| seeds 1 to {SEEDS} | {told(found['runs with an alarm'], found['fresh'])} |"
    yield f"| mean over {len(many)} other twenties | {100 * sum(many) / len(many):.2f} % |"
    yield f"| of these above the promise | {100 * above:.0f} % |"
    yield ""
    if "compared with replays" in found:
        yield f"{found['compared with replays']} values are bitwise those that `mlrepro calibrate` stores"
        yield ""


def power_lines(name: str, found: dict[str, dict[str, list[int]]]) -> Iterator[str]:
    """One of the second tables."""
    yield f"{name}, alpha {LEVEL:g}: share that was called another model"
    yield ""
    yield "| | recheck, 10 pairs | the paired test alone | measured before, paired | one run, prediction interval |"
    yield "|---|---|---|---|---|"
    for condition, each in found.items():
        before = f"{MEASURED.get(condition, 0)} %"
        both, alone, one = (told(*each[name]) for name in ("recheck", "paired", "one run"))
        yield f"| {condition} | {both} | {alone} | {before} | {one} |"
    yield ""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", type=int, default=200, help="fresh seeds (default: %(default)s)")
    parser.add_argument("--only", choices=["promise", "power"], help="one of the two tables")
    parser.add_argument("--pairs", type=int, help="the first so many pairs of data and model (default: all)")
    parser.add_argument("--data", action="append", choices=[*DATA], help="this data set only; repeatable")
    parser.add_argument("--no-replays", action="store_true", help="do not compare with replays")
    parser.add_argument("--rounds", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    result: dict[str, Any] = {}
    if options.only != "power":
        result["promise"] = promise(options.fresh, not options.no_replays)
        print("\n".join(promise_lines(result["promise"])), flush=True)
    if options.only != "promise":
        result["power"] = {}
        for name, split in SCENARIOS.items():
            chosen = [pair for pair in pairs() if pair.data in (options.data or DATA)]
            result["power"][name] = power(chosen[: options.pairs], split=split)
            print("\n".join(power_lines(name, result["power"][name])), flush=True)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
