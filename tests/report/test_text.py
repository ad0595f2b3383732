"""What is read in a terminal: whole screens, word by word."""

from __future__ import annotations

import pytest

from pytest_mlrepro.balance import contrast, draw
from pytest_mlrepro.bands import Band
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.gate import Terms, judge
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.model import SESSION, Fact, Run, Tolerance, by_address
from pytest_mlrepro.policy import Policies
from pytest_mlrepro.report import differences, text

TEST = "tests/test_model.py::test_f1"
OTHER = "tests/test_model.py::test_other"
MODEL = "tests/conftest.py::model"
BAND = Band(low=0.922, high=0.958, mean=0.94, sd=0.006, seeds=20)
PARTIAL = Extent(frozenset({TEST}))


def results(**values):
    return by_address(Fact("results", key, value) for key, value in values.items())


def settings(**values):
    return by_address(Fact("settings", key, value) for key, value in values.items())


def judged(before, now, *, subject=TEST, **terms):
    terms = Terms(Run({subject: before}), **terms)
    return judge(terms, subject, terms.compare(subject, now, {}))


def failure(before, now, *, selection=TEST, around=None):
    judgement = judged(before, now)
    return text.failure(judgement, around or {TEST: now}, lockfile="mlrepro.lock", selection=selection)


def closing(ledger, before, *, extent=PARTIAL, written=None, verbose=0, **terms):
    terms = Terms(before, **terms)
    total = draw(ledger, terms, extent)
    return [*text.summary(total, terms, lockfile="mlrepro.lock", written=written, verbose=verbose)]


def ledger_of(*contributions, passed=True):
    ledger = Ledger()
    for each in contributions:
        ledger.add(each)
        ledger.outcome(each.subject, passed=passed, failed=not passed, finished=True)
    return ledger


# One red test


def test_a_result_and_what_is_behind_it():
    before = {
        **results(f1=0.95, auc=0.99),
        **settings(depth=3, trees=50),
        **by_address([Fact("data", "x", "a")]),
    }
    now = {
        **results(f1=0.75, auc=0.99),
        **settings(depth=4, trees=50),
        **by_address([Fact("data", "x", "a")]),
    }
    said = failure(before, now).splitlines()
    assert said[0] == "mlrepro: 2 facts drifted: settings.depth, results.f1"
    assert said[2] == "  settings.depth                     3 -> 4"
    assert said[3].startswith("  results.f1                         0.95 -> 0.75")
    assert said[4:7] == [
        "",
        "suspects, likeliest first",
        "  settings.depth                     3 -> 4",
    ]
    assert said[7:] == [
        "",
        "as locked: data (1)",
        "not recorded, so a change there cannot be seen: source, assumptions, randomization, libraries",
        "",
        "baseline: mlrepro.lock",
        "accept it with: pytest --mlrepro-update tests/test_model.py::test_f1",
    ]


def test_one_drift_stands_in_the_headline():
    said = failure(settings(depth=3), settings(depth=4))
    assert said.splitlines()[0] == "mlrepro: settings.depth drifted: 3 -> 4"
    assert "suspects" not in said


def test_a_result_that_moved_alone_says_where_to_look():
    said = failure(results(f1=0.95), results(f1=0.75))
    assert "nothing that is recorded has changed: look for unpinned randomness" in said


@pytest.mark.parametrize(("before", "now"), [(results(f1=1), {}), ({}, results(f1=1))])
def test_what_came_or_went_is_no_matter_of_randomness(before, now):
    assert "unpinned" not in failure({**before, **settings(a=1)}, {**now, **settings(a=1)})


def test_the_kind_of_drift_is_said():
    said = failure({**settings(gone=1), **settings(kept=1)}, settings(kept=1, new=2))
    assert "  settings.gone                      removed: was 1, no longer recorded" in said
    assert "  settings.new                       added: not in the baseline, now 2" in said


def test_many_drifts_are_cut_to_a_screen():
    before = settings(**{f"p{number:02}": 0 for number in range(30)})
    now = settings(**{f"p{number:02}": 1 for number in range(30)})
    said = failure({**before, **results(f1=0.95)}, {**now, **results(f1=0.75)})
    assert "mlrepro: 31 facts drifted: settings.p00, settings.p01, settings.p02, ..." in said
    assert "  and 23 more\n" in said
    assert "  and 24 more: see --mlrepro-report=out.json" in said
    assert len(said.splitlines()) < 30


def test_a_suspect_of_a_fixture_is_named_with_it():
    terms = Terms(Run({TEST: results(f1=0.95), MODEL: settings(depth=3)}))
    around = terms.compare(MODEL, settings(depth=4), {}).drifts
    judgement = judge(terms, TEST, terms.compare(TEST, results(f1=0.75), {}), around)
    said = text.failure(judgement, {}, lockfile="mlrepro.lock", selection=TEST)
    assert "  settings.depth                     3 -> 4 (tests/conftest.py::model)" in said


def test_a_suspect_of_several_results_stands_once():
    before, now = (
        {**results(a=0.1, b=0.2), **settings(depth=3)},
        {**results(a=0.5, b=0.6), **settings(depth=4)},
    )
    suspects = failure(before, now).partition("suspects")[2]
    assert suspects.count("settings.depth") == 1


def test_the_selection_is_quoted_for_a_shell():
    said = failure(settings(a=1), settings(a=2), selection="tests/test_a.py::test_a[x y]")
    assert said.endswith("accept it with: pytest --mlrepro-update 'tests/test_a.py::test_a[x y]'")
    assert text.update_command("") == "pytest --mlrepro-update"


def test_no_baseline_says_how_to_make_one():
    terms = Terms(None)
    judgement = judge(terms, TEST, terms.compare(TEST, results(f1=1), {}))
    assert text.failure(judgement, {}, lockfile="mlrepro.lock", selection=TEST) == (
        "mlrepro: no baseline for tests/test_model.py::test_f1 in mlrepro.lock\n\n"
        "Its facts were recorded, but there is nothing to compare them with.\n"
        "Create the baseline, review it and commit it: pytest --mlrepro-update tests/test_model.py::test_f1"
    )


def test_a_warning_is_one_line():
    judgement = judged(settings(depth=3), settings(depth=4), policies=Policies(({"*": "warn"},)))
    (explanation,) = judgement.warned
    assert text.warning(explanation) == f"mlrepro: settings.depth drifted in {TEST}: 3 -> 4"


def test_what_had_drifted_before_a_test_failed():
    judgement = judged(settings(depth=3), settings(depth=4))
    assert text.incomplete(judgement.failed).splitlines() == [
        "these facts had drifted before the test failed:",
        "  settings.depth                     3 -> 4",
    ]


def test_a_conflict_says_what_it_means():
    ledger = Ledger()
    for value in (1, 2):
        ledger.add(Contribution(MODEL, results(f1=value), is_test=False))
    said = text.conflict(draw(ledger, Terms(Run()), Extent()).conflicts)
    assert said.startswith(f"mlrepro: {MODEL} is not reproducible within this run\n\n  results.f1")
    assert "Look for unpinned randomness" in said


# The end of a run


def test_a_green_run_is_one_line():
    assert closing(ledger_of(Contribution(TEST, results(f1=0.5))), Run({TEST: results(f1=0.5)})) == [
        "1 subject: 1 identical"
    ]


def test_counts_name_only_what_there_is():
    before = {**results(a=0.5, b=0.5, c=0.5), **by_address([Fact("source", "train", "x")])}
    now = {**results(a=0.5, b=0.5 + 1e-12, c=0.9), **by_address([Fact("source", "train", "y")])}
    assert closing(ledger_of(Contribution(TEST, now)), Run({TEST: before})) == [
        "1 subject: 1 identical, 1 within rounding, 1 drifted, 1 note",
        "not reproduced. Accept what you meant to change: pytest --mlrepro-update, "
        "then review and commit mlrepro.lock",
    ]


def test_notes_are_listed_on_request():
    before, now = (by_address([Fact("source", "train", value)]) for value in "xy")
    said = closing(ledger_of(Contribution(TEST, now)), Run({TEST: before}), verbose=1)
    assert said[1].startswith(f"note: {TEST}: source.train ")


@pytest.mark.parametrize(
    ("now", "options", "count"), [(0.5, {}, 0), (0.9, {}, 2), (0.9, {"update": True}, 4)]
)
def test_where_pytest_gives_no_totals_what_is_green_is_not_counted(now, options, count):
    ledger, before = ledger_of(Contribution(TEST, results(a=now))), Run({TEST: results(a=0.5)})
    assert len(closing(ledger, before, verbose=-2, written=True, **options)) == count
    assert len(closing(ledger, before, verbose=-1, written=True, **options)) == max(count, 1)


def test_what_is_green_but_not_identical_is_listed_on_request():
    before = by_address([Fact("results", "a", 0.94, band=BAND), Fact("results", "b", 1.0)])
    ledger = ledger_of(Contribution(TEST, results(a=0.95, b=1.0 + 1e-10)))
    assert closing(ledger, Run({TEST: before})) == ["1 subject: 1 within rounding, 1 within the band"]
    assert closing(ledger, Run({TEST: before}), verbose=1)[1:] == [
        f"band: {TEST}: results.a 0.94 -> 0.95 (+0.01, +1.06 %), "
        "within the calibrated band (20 seeds, 0.94 +- 0.006)",
        f"rounding: {TEST}: results.b 1.0 -> 1.0000000001 (+1e-10, +1e-08 %), "
        "within rounding, 0.1 of the tolerance (rtol 1e-09)",
    ]


def test_many_of_those_are_cut():
    before = results(**{f"r{number:02}": 1.0 for number in range(50)})
    now = results(**{f"r{number:02}": 1.0 + 1e-10 for number in range(50)})
    said = closing(ledger_of(Contribution(TEST, now)), Run({TEST: before}), verbose=1)
    assert len(said) == 22
    assert said[-1] == "  and 30 more"


def test_an_update_says_that_a_band_goes():
    before = by_address([Fact("results", "a", 0.94, band=BAND)])
    said = closing(
        ledger_of(Contribution(TEST, results(a=0.9))), Run({TEST: before}), update=True, written=True
    )
    assert said[1].endswith("from its middle; its calibrated band is dropped")


def test_nothing_recorded():
    assert closing(Ledger(), Run()) == ["0 subjects: nothing compared"]


def test_what_is_stale_is_named():
    ledger = ledger_of(Contribution(TEST, results(f1=1)))
    before = Run({TEST: results(f1=1), OTHER: results(f1=1)})
    said = closing(ledger, before, extent=Extent(frozenset({TEST}), whole=True))
    assert said[-2:] == [
        f"stale, no longer in the suite: {OTHER}",
        "drop them with: pytest --mlrepro-update",
    ]


def test_what_belongs_to_no_test_is_warned_of_at_the_end():
    ledger = Ledger()
    ledger.add(Contribution(MODEL, settings(depth=4), is_test=False))
    said = closing(ledger, Run({MODEL: settings(depth=3)}), policies=Policies(({"settings": "warn"},)))
    assert f"mlrepro: settings.depth drifted in {MODEL}: 3 -> 4" in said


def test_an_update_shows_what_it_accepts():
    ledger = ledger_of(
        Contribution(TEST, {**results(f1=0.75), **settings(depth=4)}),
        Contribution(OTHER, {**results(f1=0.5), **settings(depth=3, trees=50)}),
    )
    before = Run({TEST: {**results(f1=0.95), **settings(depth=3)}})
    said = closing(ledger, before, update=True, written=True)
    assert said[0] == TEST
    assert said[1] == "  settings.depth                     3 -> 4"
    assert said[2].startswith("  results.f1                         0.95 -> 0.75")
    assert said[3:] == [
        f"{OTHER}: new, 3 facts (2 settings, 1 results)",
        "  results.f1                         0.5",
        "updated mlrepro.lock: review and commit it",
        "2 subjects: nothing compared",
    ]


def test_an_update_says_what_it_refuses():
    ledger = ledger_of(Contribution(TEST, results(f1=0.75)), passed=False)
    assert closing(ledger, Run({TEST: results(f1=0.95)}), update=True)[:2] == [
        f"not accepted: {TEST} did not pass; its baseline is as it was",
        "mlrepro.lock is as it was: nothing was accepted",
    ]


def test_an_update_without_news():
    ledger = ledger_of(Contribution(TEST, results(f1=1)))
    assert closing(ledger, Run({TEST: results(f1=1)}), update=True, written=False) == [
        "mlrepro.lock is up to date",
        "1 subject: 1 identical",
    ]


def test_an_update_of_many_facts_is_cut():
    now = results(**{f"r{number:02}": number for number in range(50)})
    said = closing(ledger_of(Contribution(TEST, now)), Run(), update=True, written=True)
    assert "  and 30 more" in said


def test_of_many_subjects_an_update_lists_the_first_and_always_the_environment():
    names = [f"a/test_many.py::test_{number:02}" for number in range(43)]
    python = {fact.address: fact for fact in [Fact("libraries", "runtime.python", "3.12.1")]}
    ledger = ledger_of(*(Contribution(name, results(f1=0.5, auc=0.5), environment=python) for name in names))
    said = closing(ledger, Run(), update=True, written=True)
    listed = [line.partition(": new, ")[0] for line in said if ": new, " in line]
    assert listed == [*names[:40], SESSION]
    assert said[-3:-1] == [
        "and 3 more subjects with 6 facts: -v lists all",
        "updated mlrepro.lock: review and commit it",
    ]
    told = closing(ledger, Run(), update=True, written=True, verbose=1)
    assert [line.partition(": new, ")[0] for line in told if ": new, " in line] == [*names, SESSION]
    assert not [line for line in told if "lists all" in line]


# Tables of a file


def test_a_table_of_facts():
    run = Run.of(
        {
            TEST: [
                Fact("results", "f1", 0.5, dtype="float32", better="higher", tolerance=Tolerance(1e-6, 0)),
                Fact("results", "n", 0.94, band=BAND),
                Fact("settings", "depth", None),
                Fact("settings", "classes", ("a", "b")),
            ],
            SESSION: [Fact("libraries", "numpy", "2.4.6")],
        }
    )
    assert [*text.table(run)] == [
        "session",
        "  libraries",
        "    numpy                              '2.4.6'",
        TEST,
        "  settings",
        "    classes                            ['a', 'b']",
        "    depth                              None",
        "  results",
        "    f1                                 0.5  (float32, higher is better, rtol 1e-06, atol 0)",
        "    n                                  0.94  (band 0.922 to 0.958 over 20 seeds)",
    ]


def test_a_facet_of_another_distribution_is_shown_too():
    assert "  energy" in text.table(Run.of({TEST: [Fact("energy", "training", 12.5)]}))


def test_differences_of_two_files():
    before = Run({TEST: {**results(f1=0.95), **settings(depth=3)}, OTHER: results(f1=1)})
    now = Run({TEST: {**results(f1=0.75), **settings(depth=4)}, MODEL: settings(depth=1, trees=2)})
    terms = Terms(before)
    said = [*differences.lines(contrast(now, terms), terms)]
    assert said[:2] == [MODEL, "  only in the run after, 2 facts"]
    assert said[2] == TEST
    assert said[3].startswith("  results.f1                         0.95 -> 0.75")
    assert said[4:] == [
        "    suspects: settings.depth, settings.trees",
        "  settings.depth                     3 -> 4",
        OTHER,
        "  only in the run before, 1 fact",
        "5 drifts, 0 facts as before",
    ]


def test_no_differences():
    run = Run({TEST: results(f1=0.95)})
    assert [*differences.lines(contrast(run, Terms(run)), Terms(run))] == ["0 drifts, 1 fact as before"]
