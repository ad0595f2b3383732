"""The ladder of a result: identical, within rounding, within the calibrated band, drift; what noise must not hide."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.bands import Band
from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets._bounds import rounded_up
from pytest_mlrepro.facets._closeness import rung_of_any
from pytest_mlrepro.facets.results import Results, excess
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.model import Agreement, Drift, Fact, Run, Tolerance

RESULTS = Results()
DEFAULT = Tolerance()
EXACT = {"rtol": 0.0, "atol": 0.0}
BAND = Band(low=0.922, high=0.958, mean=0.94, sd=0.006, seeds=20)
TEST = "tests/test_a.py::test_a"


def metric(value, band=None, **options):
    (fact,) = RESULTS.capture("m", value, **options)
    return replace(fact, band=band)


def array(values, **options):
    (fact,) = RESULTS.array("a", values, **options)
    return fact


def rung(before, now, default=DEFAULT):
    return RESULTS.rung(before, now, default)


def told(before, now, default=DEFAULT):
    assert rung(before, now, default) == "drift"
    return RESULTS.explain(Drift(TEST, "results", before.key, "changed", before, now), default)


def agreed(before, now, default=DEFAULT):
    return RESULTS.agree(Agreement(TEST, rung(before, now, default), before, now), default)


def kept(fact):
    """The fact as a lockfile gives it back."""
    return loads(dumps(Run.of({TEST: [fact]}))).facts(TEST)[fact.address]


def nan_with(payload):
    return struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000000 | payload))[0]


class TestBitwise:
    @pytest.mark.parametrize(
        ("before", "now", "plain", "exact"),
        [
            (0.5, 0.5, "identical", "identical"),
            (0.5, math.nextafter(0.5, 1), "rounding", "drift"),
            (0.0, -0.0, "rounding", "drift"),
            (math.inf, math.inf, "identical", "identical"),
            (math.inf, -math.inf, "drift", "drift"),
            (math.nan, nan_with(1), "identical", "identical"),
            (math.nan, -math.nan, "identical", "identical"),
            (5e-324, 0.0, "rounding", "drift"),
            (complex(0.0, 1.0), complex(-0.0, 1.0), "rounding", "drift"),
            (np.float32(1.0), np.nextafter(np.float32(1), np.float32(2)), "rounding", "drift"),
            ([1.0, 0.0], [1.0, -0.0], "rounding", "drift"),
        ],
    )
    def test_on_demand(self, before, now, plain, exact):
        assert rung(kept(metric(before)), metric(now)) == plain
        assert rung(kept(metric(before)), metric(now, **EXACT)) == exact
        assert rung(kept(metric(before)), metric(now), Tolerance(0.0, 0.0)) == exact

    @pytest.mark.parametrize("dtype", ["f4", "f8", "c16"])
    def test_of_large_arrays(self, dtype):
        values = np.random.default_rng(0).normal(size=1000).astype(dtype)
        moved = values.copy()
        moved[500] = np.nextafter(moved[500].real, 9, dtype=moved.real.dtype)
        assert rung(kept(array(values, **EXACT)), array(moved, **EXACT)) == "drift"
        assert rung(kept(array(values)), array(moved)) == "rounding"
        assert "bitwise equality was asked for" in told(array(values, **EXACT), array(moved, **EXACT))


class TestBand:
    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            (0.94, "identical"),
            (0.94 * (1 + 1e-12), "rounding"),
            (0.95, "band"),
            (0.922, "band"),
            (0.958, "band"),
            (math.nextafter(0.922, 0), "drift"),
            (math.nextafter(0.958, 1), "drift"),
            (math.nan, "drift"),
            (math.inf, "drift"),
            (-0.94, "drift"),
            (1, "drift"),
            (True, "drift"),
            (np.float32(0.94), "drift"),
            ([0.94], "drift"),
        ],
    )
    def test_is_a_rung_of_its_own(self, now, expected):
        assert rung(kept(metric(0.94, BAND)), metric(now)) == expected

    def test_is_of_the_baseline_not_of_the_run(self):
        assert rung(metric(0.94), metric(0.95, BAND)) == "drift"

    def test_yields_to_the_demand_for_the_same_bits(self):
        assert told(metric(0.94, BAND), metric(0.95, **EXACT)).endswith("bitwise equality was asked for")

    @pytest.mark.parametrize("own", [{"rtol": 1e-6}, {"atol": 0.001}, {"rtol": 1e-6, "atol": 0.001}])
    def test_yields_to_a_tolerance_of_the_test(self, own):
        assert rung(metric(0.94, BAND), metric(0.95, **own)) == "drift"
        assert "beyond rounding" in told(metric(0.94, BAND), metric(0.95, **own))
        assert "calibrated" not in told(metric(0.94, BAND), metric(0.5, **own))
        assert rung(metric(0.94, BAND), metric(0.5, atol=1.0)) == "rounding"
        # The baseline's is not asked: who takes a tolerance out of a test gets the band.
        assert rung(metric(0.94, BAND, **own), metric(0.95)) == "band"

    def test_of_no_width_holds_its_one_value(self):
        narrow = Band(0.95, 0.95, 0.95, 0.0, 5)
        assert rung(metric(0.94, narrow), metric(0.95)) == "band"
        assert told(metric(0.95, narrow), metric(0.96)).endswith(
            "outside the calibrated band (5 seeds, 0.95 +- 0), which has no width"
        )

    def test_of_counts(self):
        epochs = metric(40, Band(35.0, 45.0, 40.2, 1.1, 20))
        assert rung(epochs, metric(44)) == "band"
        assert rung(epochs, metric(46)) == "drift"
        assert rung(epochs, metric(44.0)) == "drift"

    def test_of_accuracy_holds_beside_what_it_counts(self):
        truth = [0, 1] * 57
        before, now = (
            RESULTS.classification(truth, [1 - label for label in truth[:wrong]] + truth[wrong:])[0]
            for wrong in (5, 6)
        )
        assert rung(before, now) == "drift"
        assert rung(replace(before, band=Band(0.9, 1.0, 0.95, 0.01, 20)), now) == "band"

    def test_is_said(self):
        assert agreed(metric(0.94, BAND), metric(0.943)) == (
            "0.94 -> 0.943 (+0.003, +0.319 %), within the calibrated band (20 seeds, 0.94 +- 0.006)"
        )
        assert told(metric(0.94, BAND), metric(0.91, better="higher")) == (
            "0.94 -> 0.91 (-0.03, -3.19 %), outside the calibrated band (20 seeds, 0.94 +- 0.006), "
            "1.67 x its half-width from its middle, worse"
        )
        assert told(metric(0.94, BAND), metric(math.nan)) == (
            "0.94 -> nan, outside the calibrated band (20 seeds, 0.94 +- 0.006)"
        )
        assert "1 seed," in told(metric(0.94, replace(BAND, seeds=1)), metric(0.91))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"low": math.nan}, "low of a band must be a finite number, got nan"),
            ({"high": math.inf}, "high of a band must be a finite number, got inf"),
            ({"mean": "a"}, "mean of a band must be a finite number, got 'a'"),
            ({"sd": True}, "sd of a band must be a finite number, got True"),
            ({"low": 0.96}, "must not end below its start, got 0.96 to 0.958"),
            ({"sd": -0.1}, "spread of a band must not be negative, got -0.1"),
            ({"seeds": 0}, "at least one seed, got 0"),
            ({"seeds": 20.0}, "at least one seed, got 20.0"),
        ],
    )
    def test_that_is_none_is_refused(self, change, message):
        with pytest.raises(RecordingError, match=message):
            replace(BAND, **change)


class TestShares:
    @staticmethod
    def accuracy(wrong, n=114):
        truth = [0, 1] * (n // 2)
        return RESULTS.classification(truth, [1 - label for label in truth[:wrong]] + truth[wrong:])[0]

    def test_count_whole_rows(self):
        assert rung(self.accuracy(5), self.accuracy(5)) == "identical"
        assert told(self.accuracy(5), self.accuracy(6)) == (
            "0.956140350877193 -> 0.9473684210526315 (-0.00877, -0.917 %): "
            "1 of 114 more wrong (109 -> 108 correct), worse"
        )
        assert "2 of 114 more right (108 -> 110 correct), better" in told(self.accuracy(6), self.accuracy(4))

    def test_are_exact_however_many_rows_there_are(self):
        # One of ten thousand millions is within a relative tolerance of 1e-9.
        before, now = (
            Fact("results", "accuracy", k / 10**10, detail={"correct": k, "n": 10**10})
            for k in (10**10, 10**10 - 1)
        )
        assert "1 of 10000000000 more wrong" in told(before, now)
        assert excess(before, now, DEFAULT) is None

    def test_of_another_number_of_rows_are_another_result(self):
        assert self.accuracy(57).value == self.accuracy(114, 228).value
        assert told(self.accuracy(57), self.accuracy(114, 228)).startswith(
            "0.5 -> 0.5: 57 of 114 -> 114 of 228 correct"
        )

    def test_keep_to_the_tolerance_that_somebody_set(self):
        wide = Tolerance(0.0, 0.01)
        assert rung(self.accuracy(5), replace(self.accuracy(6), tolerance=wide)) == "rounding"
        assert rung(self.accuracy(5), self.accuracy(6), wide) == "rounding"
        assert rung(self.accuracy(5), self.accuracy(8), wide) == "drift"


class TestNearZero:
    @pytest.mark.parametrize(
        ("before", "now", "options", "expected"),
        [
            (1.2e-16, 9.5e-15, {"rtol": 1e-9}, "baseline is 1.2e-16: rtol cannot hold near zero; atol=1e-14 would"),
            (0.0, 1e-14, {"rtol": 1e-6}, "baseline is 0: rtol cannot hold near zero; atol=1e-14 would"),
            (0.0, 1e-10, {}, "baseline is 0: rtol cannot hold near zero; atol=1e-10 would"),
            (-1e-12, 3e-4, {}, "baseline is -1e-12: rtol cannot hold near zero; atol=0.0004 would"),
            (0.0, 0.25, {}, "baseline is 0: rtol cannot hold near zero; atol=0.3 would"),
            ([0.0, 0.0], [0.0, 2.5e-9], {}, "baseline is 0: rtol cannot hold near zero; atol=3e-09 would"),
        ],
    )  # fmt: skip
    def test_is_said_with_the_tolerance_that_would_have_held(self, before, now, options, expected):
        sentence = told(metric(before), metric(now, **options))
        assert sentence.endswith(expected)
        bound = float(sentence.partition("atol=")[2].split()[0])
        assert rung(metric(before), metric(now, atol=bound)) == "rounding"

    @pytest.mark.parametrize(
        ("before", "now", "options"),
        [(0.5, 0.7, {}), (1e-3, 1e-4, {}), (0.0, 0.5, {"atol": 1e-3}), (0.5, -0.5, {}), (0.0, math.nan, {})],
    )
    def test_is_not_said_where_it_is_not_the_reason(self, before, now, options):
        assert "near zero" not in told(metric(before), metric(now, **options))

    @pytest.mark.parametrize(
        ("before", "now", "options", "sentence"),
        [
            (1e-16, 1.0, {}, "1e-16 -> 1.0 (+1), beyond rounding"),
            (-1e-12, 3e-4, {"rtol": 1e-6}, "-1e-12 -> 0.0003 (+0.0003), beyond rounding"),
            (1e-10, 3e-11, {}, "1e-10 -> 3e-11 (-7e-11), beyond rounding"),
            (0.0, 0.25, {}, "0.0 -> 0.25 (+0.25), beyond rounding"),
            (1e-16, 1.0, {"atol": 0.1}, "1e-16 -> 1.0 (+1), beyond rounding"),
            (1e-16, 1.0, EXACT, "1e-16 -> 1.0 (+1), bitwise equality was asked for"),
            (0.01, 1.0, {}, "0.01 -> 1.0 (+0.99, +9.9e+03 %), beyond rounding"),
            (1e-3, 1e-4, {}, "0.001 -> 0.0001 (-0.0009, -90 %), beyond rounding"),
        ],
    )
    def test_a_percentage_of_nothing_is_left_out(self, before, now, options, sentence):
        assert told(metric(before), metric(now, **options)).startswith(sentence)

    def test_a_percentage_of_nothing_is_left_out_of_what_holds(self):
        assert agreed(metric(1e-16), metric(5e-13)).startswith("1e-16 -> 5e-13 (+5e-13), within rounding")

    @given(st.floats(1e-300, 1e300))
    def test_one_digit_upwards(self, number):
        rounded = rounded_up(number)
        assert number <= rounded
        assert rounded <= number * (2 + 1e-9)
        assert sum(digit in "123456789" for digit in f"{rounded:e}".partition("e")[0]) == 1


class TestPitfalls:
    @pytest.mark.parametrize(
        ("before", "now", "sentence"),
        [
            (0.5, -0.5, "0.5 -> -0.5 (-1, -200 %), beyond rounding: 2e+09 x the tolerance (rtol 1e-09), worse"),
            (-0.5, -0.7, "-0.5 -> -0.7 (-0.2, -40 %), beyond rounding: 4e+08 x the tolerance (rtol 1e-09), worse"),
            (-0.7, -0.5, "-0.7 -> -0.5 (+0.2, +28.6 %), beyond rounding: 2.9e+08 x the tolerance (rtol 1e-09), better"),
            (1, 1.0, "same value, int -> float"),
            (1, True, "same value, int -> bool"),
            (np.float32(0.1), 0.1, "same value, float32 -> float64"),
            (np.int32(3), 3, "same value, int32 -> int64"),
            (np.float16(0.5), np.float32(0.5), "same value, float16 -> float32"),
            (1.0, 1 + 0j, "same value, float -> complex"),
        ],
    )  # fmt: skip
    def test_is_told(self, before, now, sentence):
        assert told(metric(before), metric(now, better="higher")) == sentence

    @pytest.mark.parametrize(
        "value",
        [np.float64(0.1), np.int64(3), np.bool_(True), np.str_("a"), np.complex128(1j), np.array(0.1)],
    )
    def test_numpy_s_own_scalars_are_python_s(self, value):
        assert rung(metric(value.item()), metric(value)) == "identical"

    @given(st.floats(width=32), st.sampled_from([np.float32, np.float16]))
    def test_narrow_floats_come_back_from_a_lockfile(self, value, kind):
        with np.errstate(over="ignore"):
            value = kind(value)
        back = kept(metric(value))
        assert back.dtype == value.dtype.name
        assert np.array_equal(kind(back.value), value, equal_nan=True)
        assert rung(back, metric(value), Tolerance(0.0, 0.0)) == "identical"

    @pytest.mark.parametrize(
        ("kind", "within", "beyond"),
        [(np.float32, 9e-6, 1.2e-5), (np.float16, 1.9e-3, 4e-3), (np.float64, 9e-10, 1.1e-9)],
    )
    def test_narrow_floats_have_a_wider_default(self, kind, within, beyond):
        for factor, expected in ((within, "rounding"), (beyond, "drift")):
            before, now = kind(1.0), kind(1.0 + factor)
            assert rung(metric(before), metric(now)) == expected
            assert rung(array(np.array([before, 0], kind)), array(np.array([now, 0], kind))) == expected

    @pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 52, reason="no long double here")
    def test_long_doubles_are_the_nearest_float64(self):
        value = np.longdouble(1) / 3
        assert kept(metric(value)).value == 1 / 3
        assert rung(metric(value), metric(np.nextafter(value, np.longdouble(1)))) == "identical"
        assert rung(metric(value), metric(float(value))) == "drift"

    def test_arrays_are_scaled_by_their_largest_value(self):
        before = np.array([1e6, 1e-6, -3.0])
        step = np.array([0, 1e-3, 0])
        assert rung(array(before), array(before + 0.9 * step)) == "rounding"
        assert rung(array(before), array(before + 1.1 * step)) == "drift"
        large = np.concatenate([before, np.zeros(997)])
        assert rung(array(large), array(large + 1e-12)) == "rounding"
        large[500] += 1.1e-3
        assert rung(array(np.concatenate([before, np.zeros(997)])), array(large)) == "drift"

    def test_a_sum_that_says_drift_alone_is_told_as_such(self):
        values = np.random.default_rng(0).normal(size=100_000) + 10.0
        sentence = told(array(values, rtol=1e-3), array(values * (1 + 1e-4), rtol=1e-3))
        assert (
            "16 of 16 blocks moved, within values 0 to 99999 of 100000, though each value may hold"
            in sentence
        )
        moved = values.copy()
        moved[7] += 1.0
        assert "each value may hold" not in told(array(values), array(moved))


class TestAgreement:
    def test_names_the_part_of_the_tolerance(self):
        assert agreed(metric(1.0), metric(1.0 + 1e-10)) == (
            "1.0 -> 1.0000000001 (+1e-10, +1e-08 %), within rounding, 0.1 of the tolerance (rtol 1e-09)"
        )
        assert agreed(array([1.0, 2.0]), array([1.0, 2.0 + 2e-10])) == (
            "within rounding, 0.1 of the tolerance (rtol 1e-09)"
        )

    @given(st.floats(-1e6, 1e6), st.floats(-1e-9, 1e-9))
    def test_says_something_of_every_green_pair(self, value, change):
        before, now = metric(value), metric(value * (1 + change))
        if rung(before, now) == "rounding":
            assert "within rounding" in agreed(before, now)


EDGES = [
    0.0,
    -0.0,
    1e-13,
    1.0,
    1.0 + 5e-10,
    1.0 + 2e-9,
    0.93,
    -1.0,
    1e300,
    1e308,
    -1e308,
    math.inf,
    -math.inf,
    math.nan,
]
WIDTHS = [Tolerance(), Tolerance(0.0, 0.0), Tolerance(0.1, 0.0), Tolerance(0.0, 2.0), Tolerance(1e300, 0.0)]


def test_two_plain_floats_stand_where_facts_of_all_kinds_would():
    seen = set()
    for before, now, own, default in product(EDGES, EDGES, [None, *WIDTHS], WIDTHS):
        for band, dtype in ((None, ""), (BAND, ""), (BAND, "float32")):
            pair = Fact("results", "m", before, band=band), Fact("results", "m", now, dtype, own)
            stands = rung(*pair, default)
            assert stands == rung_of_any(*pair, default), pair
            seen.add(stands)
    assert seen == {"identical", "rounding", "band", "drift"}
