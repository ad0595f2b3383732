"""The harness of the benchmarks: candidates alternate in rounds, and what counts is the ratio of their CPU times.

Wall times on a shared machine say little; the CPU time of the process (all its threads) of two candidates that took
turns on the same data is repeatable to about a tenth.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

SLOW = 4.0
"""Seconds from which on a candidate runs in ``SLOW_ROUNDS`` rounds only."""

SLOW_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to do the work.

    Attributes:
        name: in the tables.
        run: does it once.
        calls: how often it runs in one sample; more than once where one run is shorter than the clock can tell.
    """

    name: str
    run: Callable[[], object]
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Timing:
    """Samples of one candidate, seconds a call, the first round first."""

    cpu: tuple[float, ...]
    wall: tuple[float, ...]

    def ratios(self, baseline: Timing) -> list[float]:
        """CPU time over that of the baseline in the same round, for each round that both took part in."""
        return [ours / max(other, 1e-9) for ours, other in zip(self.cpu, baseline.cpu, strict=False)]

    def ratio(self, baseline: Timing) -> float:
        """The median of ``ratios``."""
        return median(self.ratios(baseline))

    def times(self, baseline: Timing) -> str:
        """The median of ``ratios`` with its spread, as the tables show it."""
        return with_spread(self.ratios(baseline))


@dataclass(frozen=True, slots=True)
class Target:
    """What a candidate has to hold against another one.

    Attributes:
        candidate: whose target it is.
        against: what it is compared with.
        limit: at most so many times the other's CPU time; with ``faster``, the other takes at least so many times its.
        faster: see ``limit``.
    """

    candidate: str
    against: str
    limit: float
    faster: bool = False

    def ratio(self, timings: Mapping[str, Timing]) -> float | None:
        """The measured ratio; None where one of the two did not run."""
        if self.candidate not in timings or self.against not in timings:
            return None
        ours, other = timings[self.candidate], timings[self.against]
        return other.ratio(ours) if self.faster else ours.ratio(other)

    def met(self, ratio: float) -> bool:
        """Whether the ratio is within the target."""
        return ratio >= self.limit if self.faster else ratio <= self.limit

    def __str__(self) -> str:
        if self.faster:
            return f">= {self.limit:g} x faster than {self.against}"
        return f"<= {self.limit:g} x {self.against}"


def with_spread(samples: Sequence[float]) -> str:
    """Their median and half of the distance between their quartiles: ``1.42 ±0.03``; one sample has no spread."""
    if len(samples) < 2:
        return f"{samples[0]:.2f}"
    low, middle, high = quantiles(samples, n=4, method="inclusive")
    return f"{middle:.2f} ±{(high - low) / 2:.2f}"


def measure(candidates: Sequence[Candidate], rounds: int) -> dict[str, Timing]:
    """Let the candidates take turns, in an order that rotates from round to round.

    A first turn of each warms up and is thrown away, unless it was so slow that it counts as a round.
    """
    samples: dict[str, list[tuple[float, float]]] = {candidate.name: [] for candidate in candidates}
    left = {}
    for candidate in candidates:
        first = sample(candidate)
        slow = first[1] * candidate.calls > SLOW
        if slow:
            samples[candidate.name].append(first)
        left[candidate.name] = min(rounds, SLOW_ROUNDS) - 1 if slow else rounds
    for turn in range(rounds):
        shift = turn % max(1, len(candidates))
        for candidate in [*candidates[shift:], *candidates[:shift]]:
            if left[candidate.name] > 0:
                left[candidate.name] -= 1
                samples[candidate.name].append(sample(candidate))
    return {
        name: Timing(tuple(cpu for cpu, _ in taken), tuple(wall for _, wall in taken))
        for name, taken in samples.items()
    }


def sample(candidate: Candidate) -> tuple[float, float]:
    """CPU and wall seconds of one call."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(candidate.calls):
        candidate.run()
    spent = time.process_time() - cpu, time.perf_counter() - wall
    return spent[0] / candidate.calls, spent[1] / candidate.calls


def times_table(
    subject: str,
    order: Sequence[str],
    timings: Mapping[str, Timing],
    absent: Mapping[str, str],
    *,
    size: int,
    references: Sequence[str],
) -> list[list[str]]:
    """The rows of one subject: CPU and wall time, bytes a second, and the ratio to each reference with its spread.

    Args:
        subject: what was worked on.
        order: the names of all candidates.
        timings: of those that ran.
        absent: why the others did not.
        size: bytes of the subject.
        references: candidates that the others are compared with.
    """
    rows = []
    for name in order:
        if name not in timings:
            rows.append([subject, name, absent.get(name, "not run"), *[""] * (2 + len(references))])
            continue
        timing = timings[name]
        cpu = median(timing.cpu)
        ratios = [timing.times(timings[other]) if other in timings else "" for other in references]
        rate = f"{size / max(cpu, 1e-9) / 1e9:.2f}"
        rows.append([subject, name, duration(cpu), duration(median(timing.wall)), rate, *ratios])
    return rows


def targets_table(subject: str, targets: Iterable[Target], timings: Mapping[str, Timing]) -> list[list[str]]:
    """The rows of one subject: what was wanted, what was measured, and whether that is enough."""
    rows = []
    for target in targets:
        ratio = target.ratio(timings)
        said = ["", "not measured"] if ratio is None else [f"{ratio:.2f} x", verdict(target.met(ratio))]
        rows.append([subject, target.candidate, str(target), *said])
    return rows


def verdict(met: bool) -> str:
    """What the tables say of a target."""
    return "pass" if met else "MISS"


def duration(seconds: float) -> str:
    """Seconds in a unit that leaves few zeros."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} us"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns are aligned in plain text too."""
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [head, *rows]
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def save(path: Path, name: str, tables: Mapping[str, tuple[Sequence[str], Sequence[Sequence[str]]]]) -> None:
    """Write tables as JSON: for each, a list of objects with the head's words as keys."""
    content = {
        title: [dict(zip(head, row, strict=True)) for row in rows] for title, (head, rows) in tables.items()
    }
    path.write_text(json.dumps({"benchmark": name, **content}, indent=1) + "\n", encoding="utf-8")
