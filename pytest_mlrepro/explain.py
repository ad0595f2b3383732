"""Say what a drift is, and rank what may be behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_mlrepro.comparison import room
from pytest_mlrepro.model import DEFAULT_TOLERANCE, SESSION, Agreement, Drift, Explanation, Suspect, Tolerance

# What people change moves results more often than what machines change, and further.
_LIKELIHOOD = ("data", "settings", "randomization", "source", "assumptions", "libraries")
# A change as small as rounding comes from the machine or its libraries rather than from the model.
_ROUNDING_EXCESS = 1e4


def explain(
    drifts: Sequence[Drift], around: Iterable[Drift] = (), *, tolerance: Tolerance
) -> tuple[Explanation, ...]:
    """Explain the drifts of one subject.

    Args:
        drifts: the subject's own, judged.
        around: drifts of what the subject rests on: fixtures that it uses, the session.
        tolerance: the project's default, as used in the comparison.

    Returns:
        One explanation a drift, in the same order; results come with their suspects, likeliest first.
    """
    inputs = [drift for drift in (*drifts, *around) if room(drift.facet).role == "input"]
    return tuple(_explain(drift, inputs, tolerance) for drift in drifts)


def sentence(drift: Drift, tolerance: Tolerance = DEFAULT_TOLERANCE) -> str:
    """What changed, in one sentence without the address."""
    return room(drift.facet).explain(drift, tolerance)


def agreement(found: Agreement, tolerance: Tolerance = DEFAULT_TOLERANCE) -> str:
    """How near a fact is that is green without being identical, in one sentence without the address."""
    return room(found.current.facet).agree(found, tolerance)


def _explain(drift: Drift, inputs: Sequence[Drift], tolerance: Tolerance) -> Explanation:
    if room(drift.facet).role == "input":
        return Explanation(drift, sentence(drift, tolerance))
    tiny = is_tiny(drift, tolerance)
    ranked = sorted(inputs, key=lambda suspect: _rank(suspect, drift, tiny))
    if not tiny and not all(map(_is_incidental, ranked)):
        # Another number of threads may explain a rounding error, not a result that moved beside an edited setting.
        ranked = [suspect for suspect in ranked if not _is_incidental(suspect) or _reaches_far(suspect)]
    return Explanation(
        drift, sentence(drift, tolerance), tuple(Suspect(item, sentence(item)) for item in ranked)
    )


def is_tiny(drift: Drift, tolerance: Tolerance) -> bool:
    """Whether a result moved so little that rounding may be why, although more than its tolerance allows."""
    if drift.baseline is None or drift.current is None:
        return False
    from pytest_mlrepro.facets.results import excess

    exceeded = excess(drift.baseline, drift.current, tolerance)
    return exceeded is not None and exceeded < _ROUNDING_EXCESS


def _is_incidental(drift: Drift) -> bool:
    """Whether nobody decided it: a note on the session, where a note on source is somebody's edit.

    A version that the project's rules let pass is a note too, and somebody's upgrade.
    """
    is_note = drift.policy == "note" and drift.subject == SESSION
    return is_note and room(drift.facet).default_policy(drift) == "note"


def _reaches_far(drift: Drift) -> bool:
    """Whether it may explain more than a rounding error, although nobody decided it."""
    return drift.kind == "changed" and room(drift.facet).reach(drift) == "far"


def _is_beneath(drift: Drift) -> bool:
    """Whether only something beneath the value differs, such as its order in memory."""
    before, now = drift.baseline, drift.current
    return before is not None and now is not None and now.remark != "" and before.value == now.value


def _rank(suspect: Drift, result: Drift, tiny: bool) -> tuple[bool, bool, bool, bool, int, bool, bool, str]:
    """Sort key: what moves numbers, deliberate before incidental, then by reach, facet, and nearness to the result.

    What differs only beneath an equal value comes after what changed. For a tiny drift the order turns round:
    the environment first.
    """
    reach = room(suspect.facet).reach(suspect)
    place = _LIKELIHOOD.index(suspect.facet) if suspect.facet in _LIKELIHOOD else len(_LIKELIHOOD)
    return (
        reach == "nowhere",
        _is_incidental(suspect) != tiny if suspect.subject == SESSION else tiny,
        _is_beneath(suspect) != tiny,
        reach != "far" and not tiny,
        -place if tiny else place,
        suspect.subject == SESSION,
        suspect.subject != result.subject,
        suspect.address,
    )
