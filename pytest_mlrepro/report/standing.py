"""How a changed environment stands to the results: whether they moved with it, and whether anything else is red."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_mlrepro.balance import Sum
from pytest_mlrepro.facets import facet_names
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.model import SESSION, Explanation

_MOST = 3
_OUTPUT = "results"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a run whose environment fails it says of the rest.

    Attributes:
        failed: the environment's drifts that fail the run.
        alone: whether the run is red on nothing else.
        compared: how many results there was a baseline for.
        moved: how many of them drifted, whatever that leads to.
    """

    failed: tuple[Explanation, ...]
    alone: bool
    compared: int
    moved: int

    @property
    def is_harmless(self) -> bool:
        """Whether results were compared, and none moved."""
        return self.compared > 0 and self.moved == 0

    def headline(self) -> str:
        """The first line of a run that is red on nothing else; empty for any other."""
        if not self.alone:
            return ""
        said = [each.sentence for each in self.failed]
        more = f" and {len(said) - _MOST} more" if len(said) > _MOST else ""
        did_not = "; the results did not change" if self.is_harmless else ""
        return f"red on nothing but the environment: {', '.join(said[:_MOST])}{more}{did_not}"

    def command(self, options: Sequence[str] = ()) -> str:
        """What accepts it: nothing but the environment, where an update would not refuse that.

        Args:
            options: that the run was given and its update needs too.
        """
        update = ["pytest", "--mlrepro-update", *options]
        if self.is_harmless and self.alone:
            found = {each.drift.facet for each in self.failed}
            names = [name for name in facet_names() if name in found]
            update.append(f"--mlrepro-only={','.join([*names, *sorted(found.difference(names))])}")
        return shlex.join(update)

    def closing(self, options: Sequence[str] = ()) -> str:
        """What the environment can and cannot explain, and the command that accepts it.

        Args:
            options: as for ``command``.
        """
        if self.is_harmless:
            return f"the environment changed, the results did not: accept with {self.command(options)}"
        if not self.moved:
            told = "the environment changed, no result was compared"
        else:
            count = f"{self.moved} result{'s' if self.moved > 1 else ''}"
            told = f"the environment changed, and {count} moved: look for it among the suspects there"
        return f"{told}\naccept it with: {self.command(options)}"


def standing(total: Sum, terms: Terms, *, tests_failed: bool) -> Standing | None:
    """How the environment of a run stands to its results; None where it does not fail the run.

    Args:
        total: the run.
        terms: that it was judged by.
        tests_failed: whether a test failed, for whatever reason.
    """
    red = [judgement for judgement in total.judgements if judgement.red]
    own = next((each for each in red if each.subject == SESSION and each.failed), None)
    if own is None or terms.baseline is None:
        return None
    compared = sum(
        fact.facet == _OUTPUT and fact.address in terms.baseline.facts(subject) for subject, fact in total.run
    )
    moved = sum(drift.facet == _OUTPUT for drift in total.drifts())
    alone = len(red) == 1 and not total.conflicts and not tests_failed
    return Standing(own.failed, alone, compared, moved)
