"""What is said of a drift."""

from __future__ import annotations

import pytest

from pytest_mlrepro.report.page.anchors import Anchors, address
from pytest_mlrepro.report.page.cards import bound, card, direction, likeliest, readable, striking


@pytest.mark.parametrize(
    ("before", "now", "better", "expected"),
    [
        (0.9, 0.8, "higher", "worse"),
        (0.8, 0.9, "higher", "better"),
        (0.9, 0.8, "lower", "better"),
        (0.8, 0.9, "lower", "worse"),
        (0.8, 0.8, "lower", ""),
        (0.8, 0.9, None, ""),
        (0.8, "nan", "higher", ""),
        (None, 0.9, "higher", ""),
        (False, True, "higher", ""),
    ],
)
def test_better_or_worse(before, now, better, expected):
    assert direction(before, now, better) == expected


WIDE = {"rtol": 0.1, "atol": 0.0, "width": 0.025}


@pytest.mark.parametrize(
    ("tolerance", "band", "expected"),
    [
        (None, None, "must be equal"),
        (WIDE, None, "±0.025 (rtol 0.1, atol 0)"),
        ({**WIDE, "width": "inf"}, None, "±inf (rtol 0.1, atol 0)"),
        (None, {"low": 0.9, "high": 0.95}, "must be equal, or within 0.9 to 0.95 (calibrated)"),
    ],
)
def test_what_is_allowed(tolerance, band, expected):
    assert bound({"tolerance": tolerance, "band": band}) == expected


@pytest.mark.parametrize(
    ("facet", "value", "expected"),
    [
        ("libraries", "2.0", "2.0"),
        ("settings", "2.0", "'2.0'"),
        ("libraries", None, "None"),
        ("results", "nan", "nan"),
    ],
)
def test_values(facet, value, expected):
    assert readable(facet, value) == expected


def drift(key, facet="results", suspects=(), better=None, **given):
    raw = {
        "subject": "t",
        "facet": facet,
        "key": key,
        "kind": "changed",
        "outcome": "failed",
        "baseline": 1.0,
        "current": 0.5,
        "explanation": "1.0 -> 0.5",
        "tolerance": None,
        "better": better,
        "band": None,
        "classes": None,
        "suspects": [f"settings.{name}" for name in suspects],
        "suspected": [
            {"subject": "t", "facet": "settings", "key": name, "explanation": "1 -> 2"} for name in suspects
        ],
        **given,
    }
    return card(raw, {}, Anchors({address(raw): "drift-1"}))


def test_the_likeliest_suspects_of_all_results():
    cards = [drift("a", suspects="xyz"), drift("b", suspects="yx"), drift("c", suspects="y")]
    assert [each.name for each in likeliest(cards)] == ["settings.y", "settings.x", "settings.z"]
    assert [each.name for each in likeliest(cards, 1)] == ["settings.y"]
    assert likeliest([]) == ()


def test_what_strikes_first():
    cards = [
        drift("depth", "settings"),
        drift("array"),
        drift("f1", better="higher"),
        drift("loss", better="lower"),
    ]
    assert [each.name for each in striking(cards)] == [
        "results.f1",
        "results.loss",
        "results.array",
        "settings.depth",
    ]


def test_many_suspects_are_counted():
    found = drift("a", suspects="abcdefgh")
    assert (len(found.suspects), found.more) == (5, 3)


def test_only_results_have_pictures():
    values = {"baseline": [1.0, 2.0], "current": [1.0, 3.0]}
    assert drift("a", **values).moves is not None
    assert drift("a", "settings", **values).moves is None


def test_values_of_one_side_only():
    added = drift("a", kind="added", baseline=None, explanation="not in the baseline, now 0.5")
    assert (added.before, added.now, added.change, added.why) == ("", "0.5", "added", "not in the baseline")
    removed = drift("a", kind="removed", current=None, explanation="was 1.0, no longer recorded")
    assert (removed.before, removed.now, removed.change, removed.why) == (
        "1.0",
        "",
        "removed",
        "no longer recorded",
    )
