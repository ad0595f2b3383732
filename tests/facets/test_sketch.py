"""Sketches of large arrays: no false drift, no missed one, whatever the values, and what they cost."""

from __future__ import annotations

import base64
import math
import tomllib
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pytest_mlrepro.comparison import compare_facts
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.facets._sketch import SKETCH, identity, nearness, parsed, sketch
from pytest_mlrepro.facets.results import Results, Yardstick
from pytest_mlrepro.lockfile import dumps, loads
from pytest_mlrepro.model import Agreement, Drift, Run, Tolerance, by_address

RESULTS = Results()
DEFAULT = Tolerance()
TEST = "tests/test_a.py::test_a"
BITS = st.integers(1, 3)


def noise():
    """The same numbers wherever a test runs."""
    return np.random.default_rng(0)


# The sketch itself


def made(values, width, bits=3):
    found = sketch(np.asarray(values, dtype=np.float64), width, bits)
    assert found is not None
    return found


def near(values, text):
    found = nearness(np.asarray(values, dtype=np.float64), text)
    assert found is not None
    return found


def reach(bits, margin):
    """How far a cell may have moved where the digests agree, in widths."""
    half = 2 ** (bits - 1)
    return (half + 0.5 + margin) / (half - 0.5 - margin)


def inwards(old, new, width):
    """The float nearest to ``new`` that is within the width of ``old``, computed without rounding."""
    while abs(Fraction(new) - Fraction(old)) > Fraction(width):
        new = math.nextafter(new, old)
    return new


@st.composite
def cells(draw, steps):
    """Old and new cells, and the width by which the latter moved at most as many times as the steps say."""
    scale = 2.0 ** draw(st.integers(-400, 400)) * draw(st.floats(1.0, 2.0))
    parts = draw(st.lists(st.tuples(st.floats(-1, 1), steps), min_size=1, max_size=20))
    # From as wide as the values to the narrowest that has a sketch.
    width = scale * 10.0 ** draw(st.floats(-12.9, 1))
    return [(part * scale, part * scale + step * width) for part, step in parts], width


class TestPromises:
    @given(cells(st.floats(-1, 1) | st.sampled_from([-1.0, 1.0])), BITS)
    @example(([(1.0, 1.0 + 2.0**-42)], 2.0**-42), 3)
    @example(([(0.0, 5.0), (-0.0, -5.0)], 5.0), 2)
    def test_what_moved_by_no_more_than_the_width_holds(self, drawn, bits):
        pairs, width = drawn
        known = sketch(np.array([old for old, _ in pairs]), width, bits)
        assume(known is not None)
        moved = [inwards(old, new, width) for old, new in pairs]
        found = near(moved, known.text())
        assert found.holds
        furthest = max(abs(Fraction(new) - Fraction(old)) for (old, _), new in zip(pairs, moved, strict=True))
        assert found.least <= furthest <= found.most

    @given(cells(st.floats(-10, 10)), BITS, st.integers(-2, 2), st.integers(0, 19))
    def test_what_holds_moved_hardly_further_than_the_width(self, drawn, bits, turns, at):
        pairs, width = drawn
        known = sketch(np.array([old for old, _ in pairs]), width, bits)
        assume(known is not None)
        moved = [new for _, new in pairs]
        # By whole turns of the bits that are kept, which look the same to them.
        moved[at % len(moved)] += turns * 2**bits * known.step
        found = near(moved, known.text())
        furthest = max(abs(Fraction(new) - Fraction(old)) for (old, _), new in zip(pairs, moved, strict=True))
        if found.holds:
            assert furthest <= Fraction(width) * Fraction(reach(bits, 2.0**-5))
        else:
            assert furthest > width
            assert found.least <= furthest

    @pytest.mark.parametrize(("bits", "most"), [(1, 3.0), (2, 5 / 3), (3, 9 / 7)])
    def test_what_moved_further_is_seen_wherever_it_started(self, bits, most):
        """With the default tolerance the margin for floating point is nothing."""
        old = np.linspace(-1.0, 1.0, 701)
        width = 1e-9
        held = []
        for step in (0.999999, 1.000001 * most):
            for sign in (-1, 1):
                # Each cell in a sketch of its own: the digests of many would differ for any of them.
                texts = [made([cell, 1.0], width, bits).text() for cell in old]
                moved = [[cell + sign * step * width, 1.0] for cell in old]
                held.append(sum(near(*pair).holds for pair in zip(moved, texts, strict=True)))
        assert held == [701, 701, 0, 0]

    @given(
        st.floats(-12.9, 0).map(lambda power: 10.0**power),
        st.floats(-1, 1),
        BITS,
        st.integers(-3, 3),
        st.booleans(),
    )
    def test_at_the_borders_between_two_integers(self, width, part, bits, units, is_up):
        """Where rounding leaves nothing to spare: a cell half a step from its integer, moved away from it."""
        step = made([1.0], width, bits).step
        sign = 1.0 if is_up else -1.0
        border = (math.floor(part / step) + 0.5) * step
        old = border + units * math.ulp(border)
        known = made([old, 1.0], width, bits)
        assert near([inwards(old, old + sign * width, width), 1.0], known.text()).holds
        whole = round(Fraction(old) / Fraction(step))
        assume((old > whole * step) == is_up)
        beyond = old - sign * width * reach(bits, 2.0**-48 / width + 2.0**-40)
        # The current cell may be off by three units of its own.
        beyond -= sign * (3 * math.ulp(beyond) + 1e-6 * width)
        assert not near([beyond, 1.0], known.text()).holds

    @given(st.integers(1, 70), BITS, st.randoms(use_true_random=False))
    def test_text_and_back(self, size, bits, random):
        values = [random.uniform(-1, 1) for _ in range(size)]
        known = made(values, 1e-6, bits)
        text = known.text()
        assert parsed(text) == known
        assert tomllib.loads(f'a = "{text}"')["a"] == text
        assert not set("\"'\\\n") & set(text)

    def test_names_the_blocks_beyond_the_width(self):
        values = noise().normal(size=1600)
        moved = values.copy()
        moved[[250, 1333]] += 3e-5
        found = near(moved, made(values, 1e-5).text())
        assert (found.holds, found.beyond) == (False, (2, 13))

    def test_the_digest_of_all_cells_decides(self):
        """The two bytes of every block may agree by chance: that is never taken for a proof."""
        values = np.zeros(300)
        other = replace(made(values, 1e-6), digest=bytes(16))
        found = near(values, other.text())
        assert (found.holds, found.beyond) == (False, ())


class TestLimits:
    @pytest.mark.parametrize(
        ("values", "width"),
        [
            ([1.0], 0.0),
            ([1.0], 1e-14),
            ([1e-300], 1e-309),
            ([1e155], 1e145),
            ([1.0], 1e200),
        ],
        ids=["bitwise", "a few units in the last place", "subnormal", "huge values", "huge width"],
    )
    def test_there_is_none(self, values, width):
        assert sketch(np.array(values), width, 3) is None

    @pytest.mark.parametrize("scale", [2.0**-800, 1e-30, 1.0, 1e30, 2.0**499])
    def test_of_any_other_scale_there_is_one(self, scale):
        values = noise().uniform(-1, 1, size=300) * scale
        known = made(values, 1e-9 * scale)
        assert near(values + 9e-10 * scale, known.text()).holds
        assert not near(values + 1.5e-9 * scale, known.text()).holds

    def test_values_that_are_far_away_now(self):
        known = made([1.0, -1.0, 0.0], 1e-9)
        for now in (1e300, -1e300, 1.7e308, 1e12, -1e12):
            with np.errstate(all="raise"):
                found = near([1.0, -1.0, now], known.text())
            assert not found.holds

    @pytest.mark.parametrize("text", [None, 7, "", "nonsense", "ä", "0" * 200, "~" * 5, "0" * 11])
    def test_what_is_no_sketch(self, text):
        assert parsed(text) is None
        assert nearness(np.zeros(3), text) is None

    @pytest.mark.parametrize(
        "change",
        [
            {"bits": 4, "size": 225},
            {"bits": 0, "ends": b""},
            {"step": 0.0},
            {"step": math.nan},
            {"width": math.inf},
            {"size": 400},
            {"digest": b""},
            {"ends": b""},
        ],
    )
    def test_a_sketch_that_cannot_be_is_none(self, change):
        assert parsed(replace(made(np.zeros(300), 1e-6), **change).text()) is None

    def test_of_a_later_form_is_none(self):
        raw = bytearray(base64.b85decode(made(np.zeros(300), 1e-6).text()))
        raw[0] += 1
        assert parsed(base64.b85encode(bytes(raw)).decode()) is None

    def test_of_another_size_says_nothing(self):
        assert nearness(np.zeros(301), made(np.zeros(300), 1e-6).text()) is None


# The sketch in a fact


def kept(fact):
    """The fact as a lockfile gives it back."""
    return loads(dumps(Run.of({TEST: [fact]}))).facts(TEST)[fact.address]


def array(values, **options):
    (fact,) = RESULTS.array("a", values, **options)
    return fact


def travelled(fact):
    """The fact as it comes from another process."""
    return Contribution.from_json(Contribution(TEST, by_address([fact])).to_json()).facts[fact.address]


def pair(before, now, default=DEFAULT, *, first=None, marked=None, **options):
    """The fact of the baseline, and of the run that is checked against it."""
    first = options if first is None else first
    old = kept(array(before, against=Yardstick(default=default, marked=marked), **first))
    yardstick = Yardstick(by_address([old]), marked, default)
    return old, travelled(array(now, against=yardstick, **options))


def rung(before, now, default=DEFAULT, **options):
    return RESULTS.rung(*pair(before, now, default, **options), default)


def told(before, now, default=DEFAULT, **options):
    old, new = pair(before, now, default, **options)
    assert RESULTS.rung(old, new, default) == "drift"
    return RESULTS.explain(Drift(TEST, "results", old.key, "changed", old, new), default)


def agreed(before, now, default=DEFAULT, **options):
    old, new = pair(before, now, default, **options)
    return RESULTS.agree(Agreement(TEST, RESULTS.rung(old, new, default), old, new), default)


SIZES = pytest.mark.parametrize(
    ("size", "factor"), [(300, 9 / 7), (4096, 9 / 7), (5000, 5 / 3), (20_000, 3.0)]
)


class TestVerdict:
    @SIZES
    def test_cells_that_move_together_hold(self, size, factor):
        values = noise().uniform(0.5, 1.0, size=size)
        assert rung(values, values * (1 + 9e-4), rtol=1e-3) == "rounding"
        assert rung(values, values + 0.9e-3 * values.max(), rtol=1e-3) == "rounding"
        one = values.copy()
        one[size // 2] += 1.01 * factor * 1e-3
        assert rung(values, one, rtol=1e-3) == "drift"

    @SIZES
    def test_a_shift_of_all_is_seen_as_soon_as_it_is_beyond(self, size, factor):
        """The mean, the least and the largest value move by no more than some cell: they need no grey zone."""
        values = noise().uniform(0.5, 1.0, size=size)
        assert rung(values, values + 1.001e-3 * values.max(), rtol=1e-3) == "drift"
        inner = np.where((values == values.max()) | (values == values.min()), values, values + 1.02e-3)
        assert rung(values, inner, rtol=1e-3) == "drift"

    @pytest.mark.parametrize("rtol", [2e-13, 1e-9, 0.3])
    @pytest.mark.parametrize("sign", [-1, 1])
    def test_a_shift_of_all_by_the_very_tolerance_holds(self, rtol, sign):
        """Although the rounding of a mean or standard deviation may take them beyond it."""
        for size in range(1000, 1005):
            values = noise().uniform(0.5, 1.0, size=size)
            width = Tolerance(rtol, 0.0).width(values.max())
            moved = [inwards(cell, cell + sign * width, width) for cell in values.tolist()]
            assert rung(values, np.array(moved), rtol=rtol) == "rounding"

    def test_float32_by_default(self):
        values = noise().uniform(0.5, 1.0, size=300).astype(np.float32)
        assert rung(values, values * np.float32(1 + 2e-6)) == "rounding"
        assert rung(values, values * np.float32(1 + 2e-5)) == "drift"

    def test_float16_by_default(self):
        values = noise().uniform(0.5, 1.0, size=1000).astype(np.float16)
        assert rung(values, np.nextafter(values, np.float16(2))) == "rounding"
        assert rung(values, values * np.float16(1.01)) == "drift"

    def test_complex_numbers_as_pairs(self):
        values = noise().uniform(0.5, 1.0, size=500) + 1j * noise().uniform(0.5, 1.0, size=500)
        assert rung(values, values * (1 + 9e-4), rtol=1e-3) == "rounding"
        moved = values.copy()
        moved[77] += 2e-3j
        assert rung(values, moved, rtol=1e-3) == "drift"

    def test_integers_with_a_tolerance(self):
        values = noise().integers(-(2**40), 2**40, size=1000)
        assert rung(values, values + 3, atol=3) == "rounding"
        assert rung(values, values + 4, atol=3) == "drift"
        large = values * 2**22
        assert rung(large, large + 2**30, atol=2.0**30) == "rounding"
        assert SKETCH not in array(values).detail

    def test_unsigned_integers_beyond_those_of_a_float(self):
        values = np.full(300, 2**64 - 2**30, dtype=np.uint64)
        assert rung(values, values + np.uint64(2**29), atol=2.0**29) == "rounding"
        assert rung(values, values + np.uint64(2**30 - 1), atol=2.0**29) == "drift"

    def test_nan_infinities_and_negative_zeros(self):
        values = noise().uniform(0.5, 1.0, size=400)
        values[[3, 70, 300]] = math.nan, math.inf, -math.inf
        values[[5, 6]] = 0.0
        moved = values * (1 + 5e-4)
        moved[5] = -0.0
        assert rung(values, moved, rtol=1e-3) == "rounding"
        for now in (1.0, 0.0, math.nan, -math.inf):
            moved[70] = now
            assert rung(values, moved, rtol=1e-3) == "drift"

    def test_the_same_bits_need_no_sketch(self):
        values = noise().uniform(size=400)
        exact = Tolerance(0.0, 0.0)
        assert SKETCH not in array(values, rtol=0, atol=0).detail
        assert SKETCH not in array(np.zeros(400), rtol=1e-3).detail
        assert rung(values, np.nextafter(values, 2), exact) == "drift"
        # Not even where the baseline has one.
        assert rung(values, np.nextafter(values, 2), first={}, rtol=0.0, atol=0.0) == "drift"

    def test_of_another_shape_or_type(self):
        values = noise().uniform(0.5, 1.0, size=400).astype(np.float32)
        assert "shape" in told(values, values.reshape(20, 20))
        assert "float32 -> float64" in told(values, values.astype(np.float64) + 1e-9)

    def test_components_up_to_sign(self):
        rows = noise().normal(size=(20, 30))
        flipped = -rows * (1 + 9e-4)
        assert rung(rows, flipped, rtol=1e-3, up_to_sign=True) == "rounding"
        flipped[4, 4] += 0.02
        assert rung(rows, flipped, rtol=1e-3, up_to_sign=True) == "drift"

    def test_sparse_matrices(self):
        matrix = scipy.sparse.random(100, 100, density=0.1, random_state=0, format="csr")
        old = by_address(map(kept, RESULTS.array("m", matrix, rtol=1e-3)))
        now = RESULTS.array("m", matrix * (1 + 9e-4), rtol=1e-3, against=Yardstick(old))
        assert {RESULTS.rung(old[fact.address], fact, DEFAULT) for fact in now} == {"identical", "rounding"}

    def test_a_metric_of_many_values(self):
        values = noise().uniform(0.5, 1.0, size=400)
        (old,) = RESULTS.capture("m", values.tolist(), rtol=1e-3)
        yardstick = Yardstick(by_address([kept(old)]))
        (now,) = RESULTS.capture("m", (values * (1 + 9e-4)).tolist(), rtol=1e-3, against=yardstick)
        assert RESULTS.rung(kept(old), now, DEFAULT) == "rounding"

    @given(st.integers(257, 400), st.floats(-1.9, 1.9), st.integers(0, 256), BITS.map(lambda k: 10.0**-k))
    def test_is_that_of_the_cells(self, size, move, at, rtol):
        """Against what is true of every cell, with some noise everywhere and a larger step in one place."""
        random = np.random.default_rng(size)
        values = random.uniform(-1, 1, size=size)
        width = rtol * np.abs(values).max()
        moved = values + random.uniform(-1, 1, size=size) * 0.99 * width
        moved[at] = values[at] + move * width
        found = rung(values, moved, rtol=rtol)
        furthest = np.abs(moved - values).max() / width
        if furthest < 0.999999:
            assert found == "rounding"
        if furthest > 9 / 7 + 1e-6:
            assert found == "drift"


class TestTolerance:
    """The sketch is made for one tolerance; what a check by another may conclude from it."""

    VALUES = noise().uniform(0.5, 1.0, size=1000)
    SHIFTED = VALUES * (1 + 8e-4)

    def test_of_the_marker_and_of_the_project(self):
        one = self.VALUES.copy()
        one[400] += 2e-3
        wide = Tolerance(1e-3, 0.0)
        for options in ({"default": wide}, {"marked": wide}):
            old, _ = pair(self.VALUES, self.SHIFTED, **options)
            assert parsed(old.detail[SKETCH]).width == 1e-3 * self.VALUES.max()
        assert rung(self.VALUES, self.SHIFTED, wide) == "rounding"
        assert rung(self.VALUES, one, wide) == "drift"

    def test_of_its_own_comes_before_that_of_the_marker(self):
        old, _ = pair(self.VALUES, self.SHIFTED, marked=Tolerance(1e-1, 0.0), rtol=1e-3)
        assert parsed(old.detail[SKETCH]).width == 1e-3 * self.VALUES.max()

    def test_that_is_wider_keeps_what_holds(self):
        assert rung(self.VALUES, self.SHIFTED, first={"rtol": 1e-3}, rtol=1.1e-3) == "rounding"
        assert rung(self.VALUES, self.SHIFTED, first={"rtol": 1e-3}, rtol=1e-2) == "rounding"

    def test_that_is_wider_leaves_what_does_not_hold_to_the_sums(self):
        first = {"rtol": 1e-4}
        one = self.VALUES.copy()
        one[400] += 5e-3
        assert rung(self.VALUES, one, first=first, rtol=1e-2) == "rounding"
        assert rung(self.VALUES, one, first=first, rtol=1e-3) == "drift"
        assert "though each value may hold" in told(self.VALUES, self.VALUES + 3e-4, first=first, rtol=1e-3)

    def test_that_is_narrower_leaves_what_holds_to_the_sums(self):
        first = {"rtol": 1e-3}
        one = self.VALUES.copy()
        one[400] += 5e-4
        assert rung(self.VALUES, one, first=first, rtol=1e-4) == "drift"
        assert rung(self.VALUES, one, first=first, rtol=9e-4) == "rounding"
        assert rung(self.VALUES, one * (1 + 2e-3), first=first, rtol=9e-4) == "drift"

    def test_a_baseline_without_a_sketch_is_compared_by_sums(self):
        old, new = pair(self.VALUES, self.SHIFTED, rtol=1e-3)
        bare = replace(old, detail={name: item for name, item in old.detail.items() if name != SKETCH})
        (now,) = RESULTS.array("a", self.SHIFTED, rtol=1e-3, against=Yardstick(by_address([bare])))
        assert now.nearness is None
        assert RESULTS.rung(bare, now, DEFAULT) == RESULTS.rung(bare, new, DEFAULT) == "drift"
        broken = replace(old, detail={**old.detail, SKETCH: "nonsense"})
        assert (
            RESULTS.rung(
                broken, array(self.SHIFTED, rtol=1e-3, against=Yardstick(by_address([broken]))), DEFAULT
            )
            == "drift"
        )

    def test_what_was_found_counts_for_this_very_baseline_only(self):
        old, new = pair(self.VALUES, self.SHIFTED, rtol=1e-3)
        assert RESULTS.rung(old, new, DEFAULT) == "rounding"
        assert new.nearness.of == identity(old.detail[SKETCH])
        other = kept(array(self.VALUES + 1e-12, rtol=1e-3))
        assert RESULTS.rung(other, new, DEFAULT) == "drift"
        reshaped = replace(new, detail={**new.detail, "shape": (20, 50)})
        assert RESULTS.rung(old, reshaped, DEFAULT) == "drift"

    def test_is_neither_stored_nor_compared(self):
        _, new = pair(self.VALUES, self.SHIFTED, rtol=1e-3)
        assert new.nearness is not None
        assert kept(new).nearness is None
        assert kept(new) == new
        found = compare_facts(TEST, {}, by_address([new]))
        assert [drift.kind for drift in found.drifts] == ["added"]


class TestSize:
    @pytest.mark.parametrize(
        ("size", "bits", "characters"),
        [
            (257, 3, 209),
            (4096, 3, 2008),
            (4097, 2, 1369),
            (16384, 2, 5208),
            (16385, 1, 2649),
            (65536, 1, 10328),
        ],
    )
    def test_of_an_array(self, size, bits, characters):
        fact = array(noise().normal(size=size))
        assert parsed(fact.detail[SKETCH]).bits == bits
        assert len(fact.detail[SKETCH]) == characters
        assert array(np.zeros(size)).detail[SKETCH] == array(np.zeros(size)).detail[SKETCH]

    def test_beyond_which_there_is_none(self):
        assert SKETCH not in array(np.zeros(65537)).detail
        assert SKETCH not in array(np.zeros(32769, dtype=np.complex64)).detail

    def test_of_a_model_is_smaller(self):
        from sklearn.linear_model import LinearRegression

        fitted = LinearRegression()
        for size, most in ((4096, 1400), (4097, 0)):
            fitted.coef_ = np.arange(size, dtype=np.float64)
            facts = by_address(RESULTS.model("m", fitted))
            text = facts["results.m.coef_"].detail.get(SKETCH, "")
            assert bool(text) == bool(most)
            assert len(text) <= most

    def test_a_model_is_judged_by_it(self):
        from sklearn.linear_model import LinearRegression

        fitted = LinearRegression()
        fitted.coef_ = noise().uniform(0.5, 1.0, size=1000).astype(np.float32)
        old = by_address(map(kept, RESULTS.model("m", fitted)))
        fitted.coef_ = fitted.coef_ * np.float32(1 + 2e-6)
        now = RESULTS.model("m", fitted, against=Yardstick(old))
        assert {RESULTS.rung(old[fact.address], fact, DEFAULT) for fact in now} == {"identical", "rounding"}


class TestSaid:
    VALUES = noise().uniform(0.5, 1.0, size=1600)

    def test_of_what_holds_between_which_parts_of_the_tolerance(self):
        sentence = agreed(self.VALUES, self.VALUES * (1 + 5e-4), rtol=1e-3)
        least, most = (
            float(part) for part in sentence.split("rounding, ")[1].split(" of the")[0].split(" to ")
        )
        assert sentence.endswith("of the tolerance (rtol 0.001)")
        assert least <= 0.5 <= most <= least + 0.35
        tiny = agreed(self.VALUES, self.VALUES * (1 + 1e-12), rtol=1e-3)
        # The sums are the finer measure as long as they hold.
        assert tiny == "within rounding, 7.7e-08 of the tolerance (rtol 0.001)"

    def test_of_what_no_statistic_tells(self):
        """Neighbours that change places: by 0.1 of the tolerance each, of which only the weighted sums tell."""
        weights = (np.arange(1, 1601) * 0.6180339887498949) % 1.0
        first = np.where(weights[::2] < weights[1::2], 1.0, 1.0001)
        values = np.stack([first, 2.0001 - first], axis=1).ravel()
        swapped = values.reshape(-1, 2)[:, ::-1].ravel()
        sentence = agreed(values, swapped, rtol=1e-3)
        assert sentence.startswith("within rounding, at most 0.")
        assert 0.1 <= float(sentence.split()[4]) < 0.4

    def test_of_what_does_not_where(self):
        moved = self.VALUES * (1 + 5e-4)
        moved[[250, 333]] += 5e-3
        assert told(self.VALUES, moved, rtol=1e-3) == (
            "values moved beyond the tolerance in 2 of 16 blocks, within values 200 to 399 of 1600, "
            "beyond rounding: the sums by 44 x the tolerance (rtol 0.001)"
        )

    def test_that_a_spread_moved_further_than_any_value_may(self):
        """Nothing but the standard deviation tells it: the sketch has its grey zone here, and the sums are no proof."""
        values = np.where(np.arange(1600) % 5 < 3, 1.0, -1.0)
        values[[0, -1]] *= 2
        moved = values + np.where(abs(values) == 1, np.sign(values) * 1.1e-3 * 2, 0.0)
        sentence = told(values, moved, rtol=1e-3)
        assert sentence.startswith(
            "16 of 16 blocks moved, within values 0 to 1599 of 1600, beyond rounding: "
        )

    def test_a_change_that_cancels_in_every_sum(self):
        """Three cells whose changes cancel in the sum and the weighted sum: only the sketch sees them."""
        weights = (np.arange(1, 1601) * 0.6180339887498949) % 1.0
        first, second, third = weights[10:13]
        steps = np.array([third - second, first - third, second - first])
        moved = self.VALUES.copy()
        moved[10:13] += steps / np.abs(steps).max() * 2e-3 * self.VALUES.max()
        values = np.append(self.VALUES[:-2], [0.0, 1.0])
        moved = np.append(moved[:-2], [0.0, 1.0])
        sentence = told(values, moved, rtol=1e-3)
        assert sentence == (
            "values moved beyond the tolerance in 1 of 16 blocks, within values 0 to 99 of 1600, "
            "beyond rounding (rtol 0.001)"
        )
        bare = {name: item for name, item in kept(array(values, rtol=1e-3)).detail.items() if name != SKETCH}
        by_sums = replace(array(values, rtol=1e-3), detail=bare)
        assert RESULTS.rung(by_sums, array(moved, rtol=1e-3), DEFAULT) == "rounding"
