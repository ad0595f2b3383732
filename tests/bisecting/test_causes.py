"""The smallest sets of changes that drift, against every set that there is."""

from __future__ import annotations

import itertools
import math

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_mlrepro.bisect.causes import Search, ordered
from pytest_mlrepro.bisect.outcomes import contradictions

NAMES = "abcdefgh"


class Oracle:
    """Says what sets of changes lead to, and remembers which it was asked for."""

    def __init__(self, answer):
        self._answer = answer
        self.known = {}

    def __call__(self, some):
        assert isinstance(some, frozenset)
        if some not in self.known:
            self.known[some] = self._answer(some)
        return self.known[some]


def monotone(*causes):
    return Oracle(lambda some: "drifts" if any({*cause} <= some for cause in causes) else "holds")


def searched(oracle, names=NAMES, needs=None, **options):
    oracle.known |= {frozenset(): "holds", frozenset(names): "drifts"}
    return Search(names, oracle, needs, **options).causes()


def sets(names):
    return [frozenset(some) for size in range(len(names) + 1) for some in itertools.combinations(names, size)]


def test_one_among_eight_takes_the_least_number_of_questions_and_two():
    for name in NAMES:
        oracle = monotone(name)
        found = searched(oracle)
        assert [cause.changes for cause in found.found] == [(name,)]
        assert found.rest == "holds"
        # Three to find it, one to see that it suffices, one to see that nothing else does.
        assert len(oracle.known) - 2 <= math.log2(8) + 2


def test_two_that_act_only_together():
    for pair in itertools.combinations(NAMES, 2):
        oracle = monotone(pair)
        found = searched(oracle)
        assert [cause.changes for cause in found.found] == [pair]
        assert found.found[0].without == dict.fromkeys(pair, "holds")
        assert found.rest == "holds"


def test_either_of_two_suffices():
    found = searched(monotone("c", "fg"))
    assert [{*cause.changes} for cause in found.found] == [{"c"}, {"f", "g"}]
    assert found.rest == "holds"


def test_more_causes_than_are_looked_for():
    oracle = monotone(*"abcdef")
    found = searched(oracle)
    assert len(found.found) == 4
    assert found.rest == "drifts"


@st.composite
def families(draw):
    """Sets of which none is within another."""
    some = draw(st.lists(st.sets(st.sampled_from(NAMES[:6]), min_size=1), min_size=1, max_size=4))
    return [each for each in some if not any(other < each for other in some)]


@given(families())
def test_every_cause_of_a_monotone_result_is_one_of_the_smallest_sets(family):
    oracle = monotone(*family)
    found = searched(oracle, NAMES[:6])
    for cause in found.found:
        assert {*cause.changes} in family
    assert len({cause.changes for cause in found.found}) == len(found.found)
    left = {*NAMES[:6]}.difference(*(cause.changes for cause in found.found))
    assert (found.rest == "drifts") == any(each <= left for each in family)
    assert not contradictions(oracle.known)


@given(st.integers(1, 6), st.data())
def test_no_answer_whatever_makes_it_claim_more_than_it_asked(count, data):
    names = NAMES[:count]
    outcomes = st.sampled_from(["drifts", "holds", "unresolved"])
    oracle = Oracle(lambda _: data.draw(outcomes))
    found = searched(oracle, names)
    told = dict(oracle.known)
    gone = set()
    for cause in found.found:
        changes = frozenset(cause.changes)
        assert told[changes] == "drifts"
        assert changes.isdisjoint(gone)
        gone |= changes
        for each in cause.changes if len(changes) > 1 else ():
            assert cause.without[each] == told[changes - {each}] != "drifts"
    rest = frozenset(names) - gone
    assert found.rest == (told[rest] if rest else "holds")


@st.composite
def needing(draw):
    """Changes of which some need others, and what they lead to."""
    names = NAMES[: draw(st.integers(2, 6))]
    needs = {name: draw(st.sets(st.sampled_from(names), max_size=2)) - {name} for name in names}
    wanted = draw(st.sets(st.sampled_from(names), min_size=1))
    return names, needs, wanted


def closed(some, needs):
    while True:
        more = some.union(*(needs[each] for each in some))
        if more == some:
            return some
        some = more


@settings(max_examples=300)
@given(needing())
@example(("abcde", {"a": {"d"}, "b": {"a"}, "c": set(), "d": {"b", "e"}, "e": set()}, {"e"}))
def test_only_what_can_be_had_is_asked_for(given_):
    names, needs, wanted = given_

    def answer(some):
        assert closed(some, needs) == some
        return "drifts" if wanted <= some else "holds"

    found = searched(Oracle(answer), names, needs)
    (cause,) = found.found
    assert {*cause.changes} == closed(frozenset(wanted), needs)
    chosen = frozenset(cause.changes) - cause.companions
    assert closed(chosen, needs) == {*cause.changes}
    assert found.rest == "holds"


def test_one_that_cannot_be_had_alone_brings_what_it_needs():
    oracle = monotone("e")
    found = searched(oracle, needs={"e": "b", "b": "g"})
    (cause,) = found.found
    assert cause.changes == ("g", "b", "e")
    assert cause.companions == {"b", "g"}
    assert cause.alone == "holds"


def test_two_that_need_each_other_cannot_be_told_apart():
    (cause,) = searched(monotone("e"), needs={"e": "b", "b": "e"}).found
    assert {*cause.changes} == {"b", "e"}
    assert len(cause.companions) == 1
    assert cause.alone == "unresolved"


def test_what_cannot_be_judged_is_gone_round():
    def answer(some):
        if ("b" in some) != ("c" in some):
            return "unresolved"
        return "drifts" if "f" in some else "holds"

    found = searched(Oracle(answer))
    assert [cause.changes for cause in found.found] == [("f",)]
    assert found.rest == "holds"


def test_a_block_that_only_goes_as_a_whole_is_found_as_one():
    def answer(some):
        if 0 < len(some & {*"cde"}) < 3:
            return "unresolved"
        return "drifts" if {*"cde"} <= some else "holds"

    (cause,) = searched(Oracle(answer)).found
    assert cause.changes == ("c", "d", "e")
    assert {*cause.without.values()} == {"unresolved"}


def test_what_hides_another_is_told():
    told = {
        frozenset(): "holds",
        frozenset("a"): "drifts",
        frozenset("ab"): "holds",
        frozenset("abd"): "holds",
        frozenset("abc"): "drifts",
    }
    assert contradictions(told) == ((frozenset("a"), frozenset("ab")),)


def test_what_is_needed_comes_first():
    assert ordered("abcd", {"a": "c", "c": "d"}) == ("d", "c", "a", "b")
    assert ordered("ab", {"a": "b", "b": "a"}) == ("a", "b")
    assert ordered("abcd", {"a": "c", "c": "ad"}) == ("d", "a", "c", "b")
