"""Which replays are made, and what they prove, in worlds where the answer is known."""

from __future__ import annotations

import pytest
from stress.worlds import CLOCK, OTHER, SITE, Fails, World, row, steady

from pytest_mlrepro.errors import ReplayError
from pytest_mlrepro.model import Fact, Tolerance
from pytest_mlrepro.steadiness import HOLDS

NUDGE = 2.0**-50


def found(told):
    return {(each.subject, each.change) for each in told.findings}


def value(condition, *, by=1.0):
    """A test whose second fact, and all after it, follow a condition."""

    def test(conditions):
        moved = by if condition(conditions) else 0.0
        return {"data.train": "digest", "results.f1": 0.5 + moved, "results.loss": 0.25 + moved}

    return test


CAUSES = {
    "hash": lambda c: c.variable("PYTHONHASHSEED") != "0",
    "listing": lambda c: c.does("listing"),
    "memory": lambda c: bool(c.variable("MALLOC_PERTURB_")),
    "timezone": lambda c: bool(c.variable("TZ")),
    "locale": lambda c: bool(c.variable("LC_ALL")),
    "folder": lambda c: c.change.elsewhere,
    "offset": lambda c: c.does("offset"),
    "threads": lambda c: c.threads > 1,
    "simd": lambda c: bool(c.variable("NPY_DISABLE_CPU_FEATURES")),
    "blas": lambda c: bool(c.variable("OPENBLAS_CORETYPE")),
    "layout": lambda c: c.does("layout"),
}


def test_two_replays_are_enough_where_nothing_moves():
    world = World({"t::a": steady, "t::b": steady})
    told = world.stress()
    assert told.holds
    assert told.replays == len(world.asked) == 2
    assert {mark for marks in told.marks.values() for mark in marks.values()} == {"same"}
    # Nobody has run a test alone.
    assert [*told.marks["t::a"]] == [name for name in HOLDS if name != "alone"]


def test_everything_at_once_loses_none_of_the_changes():
    world = World({"t::a": steady})
    world.stress()
    at_once = dict(world.asked[1].variables)
    assert set(world.asked[1].perturbations) == {"listing", "memory", "order", "offset", "layout", "cores:3"}
    assert world.asked[1].elsewhere
    assert at_once["GLIBC_TUNABLES"].count("=") == 2
    assert {"TZ", "MALLOC_PERTURB_", "OPENBLAS_CORETYPE", "LC_ALL"} <= at_once.keys()
    assert at_once["OMP_NUM_THREADS"] != dict(world.asked[0].variables)["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize("name", CAUSES)
def test_the_change_that_matters_is_named(name):
    world = World({"t::a": value(CAUSES[name]), "t::b": steady})
    told = world.stress()
    assert found(told) == {("t::a", name)}
    assert row(told, "t::a") == {name: "drifted"}
    assert row(told, "t::b") == {}
    difference = told.findings[0].difference
    assert (difference.address, difference.place) == ("results.f1", 2)
    assert (difference.differing, difference.facts) == (2, 3)


@pytest.mark.parametrize("name", ["threads", "simd", "blas", "layout"])
def test_rounding_is_no_finding_where_it_is_allowed(name):
    world = World({"t::a": value(CAUSES[name], by=NUDGE)})
    told = world.stress()
    assert told.holds
    assert told.replays == 3
    assert row(told, "t::a") == dict.fromkeys(("threads", "simd", "blas", "layout"), "within")
    assert "none was tried alone" in told.notes[0]
    assert row(world.stress(each=True), "t::a") == {name: "within"}


@pytest.mark.parametrize("name", ["hash", "memory", "folder"])
def test_what_must_be_bitwise_may_not_differ_by_rounding(name):
    told = World({"t::a": value(CAUSES[name], by=NUDGE)}).stress()
    assert found(told) == {("t::a", name)}
    assert row(told, "t::a") == {name: "within"}


def test_rounding_of_one_kind_does_not_hide_that_of_the_other():
    def test(conditions):
        moved = [NUDGE for name in ("hash", "threads") if CAUSES[name](conditions)]
        return {"results.f1": 0.5 + sum(moved)}

    told = World({"t::a": test}).stress()
    assert found(told) == {("t::a", "hash")}
    assert row(told, "t::a") == {"hash": "within", "threads": "within"}


def test_a_project_says_what_must_hold():
    loose = World({"t::a": value(CAUSES["hash"], by=NUDGE)}).stress(hash="rounding")
    assert loose.holds
    assert row(loose, "t::a")["hash"] == "within"
    strict = World({"t::a": value(CAUSES["threads"], by=NUDGE)}).stress(threads="bitwise")
    assert found(strict) == {("t::a", "threads")}
    off = World({"t::a": value(CAUSES["folder"])})
    assert off.stress(folder="off").holds
    assert not any(change.elsewhere for change in off.asked)


def test_a_tolerance_of_its_own_counts():
    def test(conditions):
        moved = 0.001 * conditions.threads
        return {"results.f1": Fact("results", "f1", 0.5 + moved, tolerance=Tolerance(0.01, 0.0))}

    assert World({"t::a": test}).stress().holds


def test_conditions_are_no_findings():
    def test(conditions):
        return {
            "assumptions.environ.TZ": conditions.variable("TZ"),
            "randomization.hash_seed": conditions.variable("PYTHONHASHSEED"),
            "libraries.openblas.architecture": conditions.variable("OPENBLAS_CORETYPE"),
            "results.f1": 0.5,
        }

    assert World({"t::a": test}).stress().holds


@pytest.mark.parametrize("facet", ["data", "settings", "assumptions", "results"])
def test_what_a_test_makes_is_compared(facet):
    told = World({"t::a": lambda c: {f"{facet}.it": c.variable("PYTHONHASHSEED")}}).stress()
    assert found(told) == {("t::a", "hash")}


def test_an_unseeded_place_is_proven_and_one_that_does_not_matter_is_cleared():
    def test(conditions):
        conditions.entropy(OTHER)
        return {"results.f1": conditions.entropy(SITE), "results.hash": conditions.variable("PYTHONHASHSEED")}

    told = World({"t::a": test}).stress()
    # Pinned, it tells also what else it depends on.
    assert row(told, "t::a") == {"process": "drifted", "hash": "drifted"}
    (process,) = [each for each in told.findings if each.change == "process"]
    assert process.sites == (SITE,)
    assert process.proven
    assert process.source == "an unpinned generator"
    assert process.remedy == "pass a seed: default_rng(mlrepro.seed)"
    assert {each.site.address: dict(each.moved) for each in told.varied} == {
        SITE.address: {"t::a": "results.f1"},
        OTHER.address: {},
    }


def test_an_unseeded_place_that_moves_nothing_is_only_told():
    def test(conditions):
        conditions.entropy(OTHER)
        return {"results.f1": 0.5}

    told = World({"t::a": test}).stress()
    assert told.holds
    assert told.replays == 2
    assert told.unpinned == (OTHER,)


def test_a_clock_that_has_not_moved_on_yet_is_waited_for():
    def test(conditions):
        seed = conditions.entropy(CLOCK)
        return {"results.f1": seed if seed > 2 else 0}

    told = World({"t::a": test}).stress()
    assert found(told) == {("t::a", "process")}
    assert told.findings[0].source == "a seed that is taken from the clock"
    assert told.findings[0].sites == (CLOCK,)


def test_what_moves_by_itself_tells_nothing_of_the_changes():
    def test(conditions):
        return {"results.f1": conditions.address()}

    told = World({"t::a": test, "t::b": value(CAUSES["hash"])}).stress()
    assert found(told) == {("t::a", "process"), ("t::b", "hash")}
    marks = row(told, "t::a")
    assert marks.pop("process") == "drifted"
    assert set(marks.values()) == {"unclear"}
    assert row(told, "t::b") == {"hash": "drifted"}
    assert "the order of objects by their addresses" in told.findings[0].source


def test_what_moves_by_itself_is_no_proof_against_an_unseeded_place():
    def test(conditions):
        return {"results.f1": conditions.address() + conditions.entropy(SITE)}

    told = World({"t::a": test}).stress()
    assert not told.varied[0].moved
    (finding,) = told.findings
    assert not finding.proven
    assert "addresses" in finding.source


def test_a_change_is_blamed_only_if_it_gives_the_same_again():
    # By chance the first replays agree but for one of them.
    draws = iter([0, 0, 1] + [0] * 8 + [3, 4, 5, 6, 7, 8, 9])

    def test(conditions):
        return {"results.f1": next(draws, 17)}

    def drawn(conditions):
        return {"results.f1": 1 if conditions.does("listing") else 0}

    told = World({"t::a": drawn}).stress("process", "listing")
    assert found(told) == {("t::a", "listing")}
    draws = iter([0, 1, 0, 2, 3])
    told = World({"t::a": test}).stress("process", "listing")
    assert found(told) == {("t::a", "process")}
    assert row(told, "t::a") == {"process": "drifted", "listing": "unclear"}


def test_threads_that_differ_from_run_to_run_say_so():
    told = World({"t::a": lambda c: {"results.f1": c.number if c.threads > 1 else 0}}).stress()
    assert found(told) == {("t::a", "threads")}
    assert "differs from one such run to the next" in told.findings[0].source


def test_what_follows_spoils_a_test():
    def victim(conditions):
        return {"results.n": int("t::c" in conditions.before)}

    told = World({"t::a": steady, "t::v": victim, "t::b": steady, "t::c": steady, "t::d": steady}).stress()
    assert found(told) == {("t::v", "order")}
    assert row(told, "t::v") == {"order": "drifted"}
    (finding,) = told.findings
    assert finding.proven
    assert finding.source.startswith("what t::c leaves behind (module-level state, ")
    assert "; alone it gives what it gives in the usual order" in finding.source
    # No other test was run alone.
    assert row(told, "t::a") == {"alone": "untried"}


def test_a_test_that_needs_another_one():
    def victim(conditions):
        return {"results.n": int("t::a" in conditions.before)}

    told = World({"t::a": steady, "t::b": steady, "t::v": victim}).stress()
    assert found(told) == {("t::v", "order")}
    assert row(told, "t::v") == {"order": "drifted", "alone": "drifted"}
    assert told.findings[0].source.startswith("what t::a leaves behind (")
    assert "; alone it gives something else" in told.findings[0].source


def test_no_single_test_is_named_where_it_takes_two():
    def victim(conditions):
        return {"results.n": int({"t::c", "t::d"} <= {*conditions.before})}

    told = World({"t::v": victim, "t::c": steady, "t::d": steady}).stress()
    assert found(told) == {("t::v", "order")}
    assert not told.findings[0].proven
    assert told.findings[0].source.startswith("what another test leaves behind")


def test_alone_can_be_asked_for_by_itself():
    def victim(conditions):
        return {"results.n": int("t::a" in conditions.before)}

    told = World({"t::a": steady, "t::v": victim, "t::b": steady}).stress("alone")
    assert found(told) == {("t::v", "alone")}
    assert [*told.marks["t::b"]] == ["alone"]


def test_what_only_several_changes_bring_about_is_not_blamed_on_one():
    told = World({"t::a": value(lambda c: c.does("listing") and c.threads > 1)}).stress()
    assert found(told) == {("t::a", "together")}
    assert row(told, "t::a") == {}
    assert not told.holds


def test_a_test_that_fails_under_a_change_is_a_finding():
    def test(conditions):
        if conditions.change.elsewhere:
            raise Fails("FileNotFoundError: data.csv")
        return {"results.f1": 0.5}

    told = World({"t::a": test, "t::plain": lambda c: {} if not c.does("offset") else _fail()}).stress()
    assert found(told) == {("t::a", "folder"), ("t::plain", "offset")}
    difference = told.findings[0].difference
    assert difference.sentence == "passed before, fails now: FileNotFoundError: data.csv"
    assert difference.address == ""


def _fail():
    raise Fails("AssertionError")


def test_a_test_that_fails_as_it_is_was_not_tried():
    told = World({"t::a": steady, "t::bad": lambda c: _fail()}).stress()
    assert not told.holds
    assert told.failing == {"t::bad": "AssertionError"}
    assert not told.findings


def test_a_lockfile_that_the_project_compares_with_is_not_asked():
    world = World({"t::a": value(CAUSES["threads"], by=NUDGE)})
    plain = world._replay

    def judged(change):
        replay = plain(change)
        failed = type(replay.witness.outcomes["t::a"])("failed", "mlrepro: 1 fact drifted")
        replay.witness.outcomes["t::a"] = failed
        return replay

    world._replay = judged
    told = world.stress()
    assert told.holds
    assert row(told, "t::a")


def test_tests_that_cannot_be_run_as_they_are():
    with pytest.raises(ReplayError, match="the tests cannot be run as they are: no test was found"):
        World({"t::a": steady}, broken=lambda c: "no test was found\n  said").stress()
    with pytest.raises(ReplayError, match="no test recorded a fact"):
        World({"t::a": lambda c: {}}).stress()


def test_a_change_that_nothing_can_be_run_under():
    world = World({"t::a": steady}, broken=lambda c: "it died" if c.does("listing") else "")
    told = world.stress()
    assert not told.holds
    assert told.broken == {"listing": "it died"}
    assert row(told, "t::a")["listing"] == "untried"


def test_changes_that_only_together_kill_the_process():
    world = World(
        {"t::a": steady}, broken=lambda c: "it died" if c.does("listing") and c.does("order") else ""
    )
    assert world.stress().broken == {"together": "it died"}


def test_a_second_process_that_dies_is_not_green():
    world = World({"t::a": value(CAUSES["hash"])}, broken=lambda c: "it died" if c.number == 3 else "")
    told = world.stress()
    assert told.broken == {"process": "it died"}
    assert not told.holds
    assert found(told) == {("t::a", "hash")}


def test_kernels_that_were_not_loaded_were_not_tried():
    def loaded(conditions):
        return {"libopenblas.so": {"architecture": "SkylakeX", "num_threads": 1}}

    told = World({"t::a": steady}, loaded=loaded).stress()
    assert told.untried == {"blas": "Haswell was asked for, SkylakeX was loaded"}
    assert row(told, "t::a") == {"blas": "untried"}
    assert told.notes == ("threads: every library that was loaded still ran with one thread",)


def test_pinned_projects_learn_which_places_matter():
    def test(conditions):
        conditions.entropy(OTHER)
        return {"results.f1": conditions.entropy(SITE)}

    told = World({"t::a": test}).stress(guard="pin", each=True)
    assert told.holds
    assert [bool(each.moved) for each in told.varied] == [False, True]
