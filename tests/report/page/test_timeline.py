"""The picture of a metric over time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.report.page import Point
from pytest_mlrepro.report.page.timeline import HEIGHT, WIDTH, Series, timeline


def past(*values):
    return tuple(
        Point(f"abc{index}", f"2026-01-0{index % 9 + 1}", f"try {index}", v) for index, v in enumerate(values)
    )


def test_without_history_there_are_the_baseline_and_the_present_run():
    found = timeline(Series((), 0.95, 0.75))
    assert [(dot.kind, dot.told) for dot in found.dots] == [
        ("baseline", "0.95, baseline"),
        ("now", "0.75, this run"),
    ]
    baseline, now = found.dots
    assert baseline.x < now.x
    assert baseline.y < now.y, "the larger number stands higher"
    assert found.step == f"{baseline.x},{baseline.y} {now.x},{now.y}"


def test_a_new_metric_has_no_baseline():
    found = timeline(Series((), None, 0.75))
    assert [dot.kind for dot in found.dots] == ["now"]
    assert found.step == ""


def test_without_a_present_run_the_axis_ends_at_the_last_value():
    found = timeline(Series(past(0.7, 0.8, 0.95), 0.95, None))
    assert [dot.kind for dot in found.dots] == ["accepted", "accepted", "baseline"]
    assert (found.first, found.last, found.step) == ("2026-01-01", "2026-01-03", "")
    assert timeline(Series(past(0.95), 0.95, None)).last == "", "there is one end"


def test_the_history_ends_at_the_baseline():
    found = timeline(Series(past(0.7, 0.8, 0.95), 0.95, 0.9))
    assert [dot.kind for dot in found.dots] == ["accepted", "accepted", "baseline", "now"]
    assert found.dots[0].told == "0.7, 2026-01-01, abc0, try 0"
    assert found.first == "2026-01-01"
    # A lockfile that is not committed is one value ahead of its history.
    found = timeline(Series(past(0.7, 0.8), 0.95, 0.9))
    assert [dot.told for dot in found.dots][2] == "0.95, baseline"


def test_where_there_was_no_number_the_line_is_broken():
    found = timeline(Series(past(0.7, 0.8, None, "nan", 0.9, 0.95), 0.95, 0.95))
    assert [len(line.split()) for line in found.lines] == [2, 2]
    assert len(found.dots) == 5


def test_what_is_allowed_lies_around_the_baseline():
    found = timeline(Series((), 0.95, 0.75, allowed=(0.9, 1.0), band=(0.8, 1.1)))
    zones = {zone.kind: zone for zone in found.zones}
    baseline, now = found.dots
    for zone in zones.values():
        assert zone.y < baseline.y < zone.y + zone.height
        assert now.y > zone.y + zone.height
    assert zones["band"].height > zones["tolerance"].height


def test_a_band_too_narrow_to_see_is_seen():
    (zone,) = timeline(Series((), 0.95, 0.75, allowed=(0.95 - 1e-9, 0.95 + 1e-9))).zones
    assert zone.height >= 2


def test_no_number_no_picture():
    assert timeline(Series(past("nan", None), "inf", "nan")) is None


def test_a_long_history_keeps_its_peaks():
    values = [0.9] * 10_000
    values[3456], values[7000] = 0.2, 0.99
    found = timeline(Series(past(*values), 0.9, 0.9))
    points = [point for line in found.lines for point in line.split()]
    assert len(points) <= 402
    heights = [float(point.split(",")[1]) for point in points]
    assert heights.count(max(heights)) == 1
    assert heights.count(min(heights)) == 1
    assert len(found.dots) <= 62


VALUES = st.one_of(
    st.none(), st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.sampled_from(["nan", "inf", "x"])
)  # fmt: skip
ENDS = st.none() | st.tuples(
    st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False)
).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(VALUES, max_size=8), VALUES, VALUES, ENDS, ENDS)
def test_everything_is_within_the_picture(values, baseline, now, allowed, band):
    found = timeline(Series(past(*values), baseline, now, allowed, band))
    if found is None:
        return
    places = [tuple(map(float, point.split(","))) for line in found.lines for point in line.split()]
    places += [(dot.x, dot.y) for dot in found.dots]
    places += [(found.left, zone.y) for zone in found.zones]
    places += [(found.left, zone.y + zone.height) for zone in found.zones]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert all(0 <= tick.place <= HEIGHT for tick in found.ticks)
