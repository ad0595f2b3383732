"""The Markdown report, word by word and as a renderer shows it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report.hostile import HOSTILE, TEXTS
from report.rendering import RENDERERS, rendered
from strategies import RUNS

from pytest_mlrepro.balance import contrast, draw
from pytest_mlrepro.bands import Band
from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.guard import Sightings, Site
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.model import SESSION, Fact, Run, by_address
from pytest_mlrepro.policy import Policies
from pytest_mlrepro.report import machine, markdown
from pytest_mlrepro.report.gfm import cut, visible

TEST = "tests/test_model.py::test_f1"
OTHER = "tests/test_model.py::test_other"
MODEL = "tests/conftest.py::model"
UPDATE = "pytest --mlrepro-update"
COLUMNS = ["subject", "fact", "before", "now", "change", "why"]
ACCEPTING = f"""\
then review and commit `mlrepro.lock`:

```sh
{UPDATE}
```
"""


def ledger_of(now, *, passed=True, rests_on=()):
    ledger = Ledger()
    for subject, facts in now.subjects.items():
        is_test = subject != MODEL
        ledger.add(Contribution(subject, facts, rests_on=rests_on if is_test else (), is_test=is_test))
        if is_test:
            ledger.outcome(subject, passed=passed, failed=not passed, finished=True)
    return ledger


def document(
    before, now, *, whole=False, exitstatus=0, written=None, sites=(), accept=UPDATE, headline="", **terms
):
    """The document of a run; ``now`` is a run or a ledger."""
    ledger = now if isinstance(now, Ledger) else ledger_of(now)
    terms = Terms(before, **terms)
    seen = Sightings()
    seen.add(TEST, sites)
    extent = Extent(frozenset(name for name in ledger.contributions if name != MODEL), whole)
    return machine.document(
        draw(ledger, terms, extent),
        terms,
        exitstatus=exitstatus,
        sightings=seen,
        lockfile="mlrepro.lock",
        written=written,
        accept=accept,
        headline=headline,
    )


def said(*arguments, **options):
    # What was a file in between must tell the same.
    return markdown.written(json.loads(machine.written(document(*arguments, **options))))


def run(**facts):
    """A run of one test: ``results_f1=0.5``."""
    return Run({TEST: by_address(Fact(*name.split("_", 1), value) for name, value in facts.items())})


# Green


def test_all_is_well_in_one_line():
    before = run(results_f1=0.95, settings_depth=3)
    assert said(before, before) == "mlrepro **reproduced**: 2 facts of 1 subject, 2 identical\n"


def test_the_ladder_is_counted_and_what_is_not_identical_folded_away():
    band = Band(low=0.922, high=0.958, mean=0.94, sd=0.006, seeds=20)
    facts = [Fact("results", "f1", 0.94, band=band), Fact("results", "loss", 1.0), Fact("results", "n", 3)]
    told = said(Run.of({TEST: facts}), run(results_f1=0.95, results_loss=1.0 + 1e-10, results_n=3))
    assert told == (
        "mlrepro **reproduced**: 3 facts of 1 subject, 1 identical, 1 within rounding, 1 within the band\n"
        "\n"
        "<details>\n"
        "<summary>2 facts within rounding or the band</summary>\n"
        "\n"
        "| subject | fact | within | before | now | change | how near |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        f"| `{TEST}` | `results.f1` | the band | `0.94` | `0.95` | +0.01 (+1.06383 %) | "
        "within the calibrated band (20 seeds, 0.94 +- 0.006) |\n"
        f"| `{TEST}` | `results.loss` | rounding | `1.0` | `1.0000000001` | +1e-10 (+1e-8 %) | "
        "0.1 of the tolerance (rtol 1e-09) |\n"
        "\n"
        "</details>\n"
    )


def test_a_run_that_recorded_nothing():
    assert said(Run(), Run()) == "mlrepro **reproduced**: 0 facts of 0 subjects, nothing compared\n"


def test_a_run_that_only_its_environment_fails_says_so():
    told = said(
        run(results_f1=0.5), run(results_f1=0.5), headline="red on nothing but the environment: a_b 1 -> 2"
    )
    assert told.split("\n\n")[1].strip() == "red on nothing but the environment: `a_b` 1 -> 2"


def test_an_environment_that_is_not_recorded_is_said():
    known = {"recorded": frozenset({"ci"}), "environment": "edge"}
    told = said(run(results_f1=0.5), run(results_f1=0.5), **known)
    assert "The environment `edge` is not recorded yet: results were compared with the shared values" in told
    assert "not recorded" not in said(run(results_f1=0.5), run(results_f1=0.5), update=True, **known)
    assert "not recorded" not in said(
        run(results_f1=0.5), run(results_f1=0.5), environment="ci", recorded=known["recorded"]
    )


def test_a_part_of_the_facets_is_said():
    before, now = run(results_f1=0.5, settings_depth=3), run(results_f1=0.5, settings_depth=4)
    first = said(before, now, only=frozenset({"results", "data"})).splitlines()[0]
    assert first == "mlrepro **reproduced** (data, results only): 2 facts of 1 subject, 1 identical, 1 note"


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (1, "pytest itself failed (exit status 1): what a failed test recorded is not compared."),
        (2, "pytest was interrupted (exit status 2): this is not the whole suite."),
        (3, "pytest ended with exit status 3."),
        (5, "No test ran (exit status 5)."),
    ],
)
def test_green_facts_of_a_run_that_failed_otherwise(status, line):
    before = run(results_f1=0.5)
    assert said(before, before, exitstatus=status) == (
        f"mlrepro **reproduced, as far as it ran**: 1 fact of 1 subject, 1 identical\n\n{line}\n"
    )


def test_a_drift_is_why_pytest_failed():
    before, now = run(results_f1=0.5), run(results_f1=0.6)
    assert "exit status" not in said(before, now, exitstatus=1)
    assert "pytest was interrupted" in said(before, now, exitstatus=2)


# Red


def test_a_drift_with_its_suspects():
    before = run(results_f1=0.95, settings_max_depth=3, source_train="a")
    now = run(results_f1=0.75, settings_max_depth=4, source_train="b")
    site = Site("model.py", 3, "make", "default_rng()", "numpy")
    digest = "the digest changed, though what is recorded of its definitions is the same"
    head = "| subject | fact | before | now | change | why |\n| --- | --- | --- | --- | --- | --- |\n"
    assert said(before, now, exitstatus=1, sites=[site]) == (
        "mlrepro **not reproduced**: 3 facts of 1 subject, 2 drifted, 1 note\n"
        "\n"
        f"{head}"
        f"| `{TEST}` | `results.f1` | `0.95` | `0.75` | -0.2 (-21.0526 %) | "
        "beyond rounding: 2.1e+08 x the tolerance (rtol 1e-09)<br>suspects, likeliest first:"
        "<br>`guard: model.py:3` unpinned randomness, `default_rng()` via numpy"
        f"<br>`settings.max_depth` 3 -> 4<br>`source.train` {digest} |\n"
        f"| `{TEST}` | `settings.max_depth` | `3` | `4` | +1 (+33.3333 %) |  |\n"
        "\n"
        f"This accepts what you meant to change; {ACCEPTING}"
        "\n"
        "<details>\n"
        "<summary>1 note: changed, and nothing fails for it</summary>\n"
        "\n"
        f"{head}"
        f"| `{TEST}` | `source.train` | `'a'` | `'b'` |  | {digest} |\n"
        "\n"
        "</details>\n"
        "\n"
        "<details>\n"
        "<summary>1 site of unpinned randomness</summary>\n"
        "\n"
        "| place | call | tests | what to do |\n"
        "| --- | --- | --- | --- |\n"
        "| `model.py:3` | `default_rng() via numpy` | 1 | pass a seed: `default_rng(mlrepro.seed)` |\n"
        "\n"
        "</details>\n"
    )


def rows(told, table=0):
    found = rendered(told)
    return [dict(zip(found.tables[table][0], row, strict=True)) for row in found.tables[table][1:]]


def test_results_come_first_and_the_environment_last():
    before = Run.of(
        {
            OTHER: [Fact("settings", "a", 1), Fact("results", "f1", 0.5)],
            TEST: [Fact("settings", "a", 1), Fact("results", "f1", 0.5)],
        }
    )
    before = Run({**before.subjects, SESSION: by_address([Fact("libraries", "numpy", "1.26")])})
    ledger = Ledger()
    for name in (TEST, OTHER):
        changed = by_address([Fact("settings", "a", 2), Fact("results", "f1", 0.6)])
        environment = by_address([Fact("libraries", "numpy", "2.4")])
        ledger.add(Contribution(name, changed, environment=environment))
        ledger.outcome(name, passed=True, failed=False, finished=True)
    assert [(row["subject"], row["fact"]) for row in rows(said(before, ledger))] == [
        (TEST, "results.f1"),
        (OTHER, "results.f1"),
        (TEST, "settings.a"),
        (OTHER, "settings.a"),
        ("the environment", "libraries.numpy"),
    ]


def test_what_came_and_what_went():
    told = rows(said(run(settings_gone=1, settings_kept=1), run(settings_kept=1, settings_new="x_1")))
    assert [[row[name] for name in COLUMNS[1:]] for row in told] == [
        ["settings.gone", "1", "", "removed", "no longer recorded"],
        ["settings.new", "", "'x_1'", "added", "not in the baseline"],
    ]


def test_a_change_is_never_rounded_to_nothing():
    (row,) = rows(said(run(results_f1=0.95), run(results_f1=0.950001)))
    assert row["change"] == "+1e-6 (+0.000105263 %)"
    assert (row["before"], row["now"]) == ("0.95", "0.950001")


@pytest.mark.parametrize(
    ("before", "now", "cells"),
    [
        (0.5, float("nan"), ["0.5", "nan", ""]),
        (float("inf"), 0.5, ["inf", "0.5", ""]),
        (complex(1, 2), complex(1, 3), ["(1+2j)", "(1+3j)", ""]),
        ((1, (2.5, True)), (1, (2.5, False)), ["[1, [2.5, True]]", "[1, [2.5, False]]", ""]),
        ("a", "nan", ["'a'", "nan", ""]),
        (1, True, ["1", "True", ""]),
    ],
)
def test_values_are_written_as_python_does(before, now, cells):
    (row,) = rows(said(run(results_f1=before), run(results_f1=now)))
    assert [row[name] for name in ("before", "now", "change")] == cells


def test_a_result_that_moved_alone_says_where_to_look():
    before, now = run(results_f1=0.95), run(results_f1=0.75)
    assert "Where no suspect is named, nothing that is recorded has changed: look for" in said(before, now)
    moved = run(results_f1=0.75, settings_depth=4)
    assert "no suspect" not in said(run(results_f1=0.95, settings_depth=3), moved)
    assert "no suspect" not in said(run(settings_depth=3), run(settings_depth=4))
    assert "no suspect" not in said(run(settings_depth=3), run(settings_depth=3, results_f1=0.5))


def test_hints_on_the_process_stand_below_the_drifts():
    environment = by_address([Fact("randomization", "hash_seed", "unset")])
    ledger = Ledger()
    ledger.add(Contribution(TEST, run(results_f1=0.6).facts(TEST), environment=environment))
    before = Run({**run(results_f1=0.5).subjects, SESSION: environment})
    found = rendered(said(before, ledger))
    (hint,) = found.items
    assert hint.startswith("PYTHONHASHSEED is not set to a number")
    assert hint.endswith("Set PYTHONHASHSEED=0 before Python starts")


def test_many_suspects_are_named_and_counted():
    before = run(results_f1=0.5, **{f"settings_p{number:02}": 0 for number in range(12)})
    now = run(results_f1=0.6, **{f"settings_p{number:02}": 1 for number in range(12)})
    why = rows(said(before, now))[0]["why"].splitlines()
    names = [f"settings.p{number:02}" for number in range(12)]
    assert why[2:] == [*(f"{name} 0 -> 1" for name in names[:3]), f"then {', '.join(names[3:9])} and 3 more"]


def test_a_suspect_of_a_fixture_is_named_with_it():
    before = Run({**run(results_f1=0.5).subjects, MODEL: by_address([Fact("settings", "depth", 3)])})
    now = Run({**run(results_f1=0.6).subjects, MODEL: by_address([Fact("settings", "depth", 4)])})
    row = rows(said(before, ledger_of(now, rests_on=(MODEL,))))[0]
    assert f"settings.depth 3 -> 4 (of {MODEL})" in row["why"]


def test_warnings_are_folded_away():
    policies = Policies(({"settings": "warn"},))
    told = said(run(settings_depth=3), run(settings_depth=4), policies=policies)
    assert told.startswith("mlrepro **reproduced**: 1 fact of 1 subject, 1 warning\n")
    assert rendered(told).summaries == ["1 warning"]
    assert UPDATE not in told


def test_no_baseline():
    told = said(None, Run({**run(results_f1=0.5).subjects, OTHER: by_address([Fact("results", "a", 1)])}))
    assert told == (
        "mlrepro **not reproduced**: 2 facts of 2 subjects, 2 subjects without a baseline\n"
        "\n"
        "**No baseline yet**: these recorded facts, but there is nothing to compare them with.\n"
        "\n"
        f"- `{TEST}`\n"
        f"- `{OTHER}`\n"
        "\n"
        f"This creates the baselines that are not there; {ACCEPTING}"
    )


def test_what_is_stale():
    before = Run({**run(results_f1=0.5).subjects, OTHER: by_address([Fact("results", "a", 1)])})
    told = said(before, run(results_f1=0.5), whole=True)
    assert told == (
        "mlrepro **reproduced**: 1 fact of 1 subject, 1 identical\n"
        "\n"
        "**Stale**: no longer in the suite.\n"
        "\n"
        f"- `{OTHER}`\n"
        "\n"
        f"This drops what is stale; {ACCEPTING}"
    )


def test_one_command_for_all_that_it_does():
    gone = by_address([Fact("results", "a", 1)])
    before = Run({**run(results_f1=0.5).subjects, "tests/test_a.py::test_gone": gone})
    told = said(before, Run({**run(results_f1=0.6).subjects, OTHER: gone}), whole=True)
    assert (
        "This accepts what you meant to change, creates the baselines that are not there, and drops what is stale; then"
    ) in told
    assert rendered(told).blocks == [f"{UPDATE}\n"]


def test_without_a_command_none_is_shown():
    assert "```" not in said(run(results_f1=0.5), run(results_f1=0.6), accept="")


def clashing():
    ledger = Ledger()
    for value in (0.5, 0.25):
        ledger.add(Contribution(MODEL, by_address([Fact("results", "score", value)]), is_test=False))
    return ledger


def test_facts_that_disagree_within_the_run():
    before = Run({MODEL: by_address([Fact("results", "score", 0.25)])})
    told = said(before, clashing(), exitstatus=1)
    assert told == (
        "mlrepro **not reproduced**: 1 fact of 1 subject, 1 identical, 1 not the same within the run\n"
        "\n"
        "**Not the same within this run.** These facts were recorded more than once, by several processes or by a "
        "fixture that was set up again, with different values. Look for unpinned randomness, the clock, or the order "
        "of tests.\n"
        "\n"
        "| subject | fact | one value | another | difference | why |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        f"| `{MODEL}` | `results.score` | `0.5` | `0.25` | -0.25 (-50 %) | "
        "beyond rounding: 5e+08 x the tolerance (rtol 1e-09) |\n"
    )


# Updates


def test_an_update_shows_what_it_accepted():
    before = run(results_f1=0.95, settings_depth=3)
    new = by_address([Fact("settings", "depth", 3), Fact("settings", "trees", 9), Fact("results", "a", 1)])
    now = Run({**run(results_f1=0.75, settings_depth=3).subjects, OTHER: new})
    assert said(before, now, update=True, written=True) == (
        "mlrepro **updated** `mlrepro.lock`: 5 facts of 2 subjects, 1 identical, 4 accepted\n"
        "\n"
        "**New**\n"
        "\n"
        f"- `{OTHER}`: 3 facts (2 settings, 1 results)\n"
        "\n"
        "**Accepted**\n"
        "\n"
        "| subject | fact | before | now | change | why |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        f"| `{TEST}` | `results.f1` | `0.95` | `0.75` | -0.2 (-21.0526 %) | "
        "beyond rounding: 2.1e+08 x the tolerance (rtol 1e-09) |\n"
        "\n"
        "Review and commit `mlrepro.lock`.\n"
    )


def test_an_update_without_news():
    before = run(results_f1=0.95)
    assert said(before, before, update=True, written=False) == (
        "mlrepro `mlrepro.lock` is **up to date**: 1 fact of 1 subject, 1 identical\n"
    )


def test_an_update_that_accepts_nothing():
    ledger = ledger_of(run(results_f1=0.75), passed=False)
    told = said(run(results_f1=0.95), ledger, update=True, exitstatus=1)
    assert told.splitlines()[0] == (
        "mlrepro **nothing accepted**, `mlrepro.lock` is as it was: 1 fact of 1 subject, 1 left as before"
    )
    assert "**Not accepted**: these did not pass; their baselines are as they were." in told
    assert rendered(told).items == [TEST]
    assert rendered(told).summaries == ["1 drift left as before"]
    assert rows(told)[0]["fact"] == "results.f1"
    assert "**New**" not in said(Run(), ledger, update=True, exitstatus=1)


def test_an_update_of_one_facet_fails_for_the_others():
    before = Run.of(
        {TEST: [Fact("settings", "a", 1)], OTHER: [Fact("settings", "a", 1), Fact("results", "f1", 0.5)]}
    )
    now = Run.of(
        {TEST: [Fact("settings", "a", 2)], OTHER: [Fact("settings", "a", 1), Fact("results", "f1", 0.6)]}
    )
    told = said(before, now, update=True, only=frozenset({"settings"}), written=True, exitstatus=1)
    assert told.splitlines()[0] == (
        "mlrepro **not reproduced** (settings only): 3 facts of 2 subjects, 1 identical, 1 drifted, 1 accepted"
    )
    found = rendered(told)
    assert [[row[1] for row in table[1:]] for table in found.tables] == [["results.f1"], ["settings.a"]]
    assert found.blocks == []
    assert found.paragraphs[-1] == "Review and commit mlrepro.lock."


def test_an_update_of_one_facet_creates_no_baseline():
    told = said(Run(), run(results_f1=0.5), update=True, only=frozenset({"settings"}), exitstatus=1)
    assert "1 subject without a baseline" in told
    assert "**No baseline yet**" in told
    assert f"This creates the baselines that are not there; {ACCEPTING}" in told


def test_an_update_drops_what_is_stale():
    before = Run({**run(results_f1=0.5).subjects, OTHER: by_address([Fact("results", "a", 1)])})
    told = said(before, run(results_f1=0.5), whole=True, update=True, written=True)
    assert f"**Dropped**: no longer in the suite.\n\n- `{OTHER}`\n" in told
    kept = said(before, run(results_f1=0.5), whole=True, update=True, only=frozenset({"data"}))
    assert "**Stale**: no longer in the suite." in kept
    assert "```" not in told + kept


def test_pinned_sites_are_told_apart():
    site = Site("model.py", 3, "make", "default_rng()", "numpy", pinned=True)
    other = Site("model.py", 9, "make", "default_rng()", "numpy")
    before, now = run(results_f1=0.5), run(results_f1=0.6)
    told = said(before, now, sites=[site, other])
    assert rendered(told).summaries == ["2 sites of unpinned randomness, 1 pinned by the guard"]
    assert [row["what to do"] for row in rows(told, 1)] == [
        "pinned by the guard",
        "pass a seed: default_rng(mlrepro.seed)",
    ]
    assert "guard: model.py:9" in rows(told)[0]["why"]
    assert "guard: model.py:3" not in rows(told)[0]["why"]


# Text of others

ELEMENTS = {"table", "thead", "tbody", "tr", "th", "td", "p", "strong", "code", "br", "pre", "ul", "li", "em"} | {
    "details", "summary"
}  # fmt: skip


def shown(text, limit):
    return cut(visible(text), limit) or "(empty)"


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_names_and_values_are_shown_as_they_are(text, render):
    before, now = (
        Run(
            {
                f"tests/{text}": by_address(
                    [Fact("results", text, value), Fact("settings", text, f"{text}{value}")]
                )
            }
        )
        for value in (0.5, 0.6)
    )
    site = Site(text, 1, text, f"{text}()", text, direct=False)
    found = rendered(said(before, now, sites=[site], accept=f"pytest {text}"), render)
    plain = text.encode("utf-8", "backslashreplace").decode()
    assert [row[:3] for row in found.tables[0][1:]] == [
        [shown(f"tests/{plain}", 160), shown(f"results.{plain}", 160), "0.5"],
        [shown(f"tests/{plain}", 160), shown(f"settings.{plain}", 160), shown(repr(f"{plain}0.5"), 60)],
    ]
    assert [len(row) for table in found.tables for row in table] == [6, 6, 6, 4, 4]
    assert found.blocks == [f"{visible(f'pytest {plain}')}\n"]
    assert set(found.elements) <= ELEMENTS
    assert found.attributes == ([("class", "language-sh")] if render is RENDERERS[0] else [("lang", "sh")])


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.parametrize("text", [text for text in HOSTILE if text.strip()])
def test_sentences_are_shown_as_they_are(text, render):
    band = Band(low=0.0, high=1.0, mean=0.5, sd=0.1, seeds=3)
    before = Run.of(
        {TEST: [Fact("results", "a", 1), Fact("results", "b", 0.5, band=band), Fact("settings", "c", 1)]}
    )
    content = document(before, run(results_a=2, results_b=0.6, settings_c=2))
    said = f"1 -> 2 (+1), {text}"
    for each in content["drifts"]:
        each["explanation"] = said
        for suspect in each["suspected"]:
            suspect["explanation"] = text
    content["agreements"][0]["explanation"] = text
    content["conflicts"] = [{**content["drifts"][0], "one": 1, "another": 2}]
    content["hints"] = [f"so {text}"]
    found = rendered(markdown.written(content), render)
    sentence = shown(text, 400).strip(" ")
    assert [[row[-1].partition("\nsuspects")[0].strip() for row in table[1:]] for table in found.tables] == [
        [sentence.lstrip(",;: ")],
        [sentence.lstrip(",;: ")] * 2,
        [sentence],
    ]
    assert found.tables[1][1][-1].endswith(
        f"settings.c {shown(text, 120).strip(' ') if text else ''}".strip()
    )
    assert found.items == [f"so {visible(text)}".strip(" ")]
    assert set(found.elements) <= ELEMENTS


@settings(max_examples=30)
@given(before=RUNS, now=RUNS, text=TEXTS, place=st.integers(0, len(RENDERERS) - 1))
def test_every_report_has_the_cells_that_it_should(before, now, text, place):
    now = Run({**now.subjects, f"{text}::test": by_address([Fact("results", text or "x", text)])})
    terms = Terms(before)
    content = machine.document(
        contrast(now, terms), terms, exitstatus=1, lockfile=text, accept=f"pytest {text}"
    )
    told = markdown.written(content)
    found = rendered(told, RENDERERS[place])
    outcomes = [each["outcome"] for each in content["drifts"]]
    expected = [outcomes.count(name) for name in ("failed", "warned", "noted")]
    expected.append(len(content["agreements"]))
    assert [len(table) - 1 for table in found.tables] == [count for count in expected if count]
    for table in found.tables:
        assert {len(row) for row in table} == {len(table[0])}
    failed = [each for each in content["drifts"] if each["outcome"] == "failed"]
    cells = [row[1] for row in found.tables[0][1:]] if failed else []
    assert sorted(cells) == sorted(shown(f"{each['facet']}.{each['key']}", 160) for each in failed)
    assert set(found.elements) <= ELEMENTS
    lacking = {each["subject"] for each in content["drifts"] if each["outcome"] == "new"}
    assert set(found.items) == {
        shown(name, 160) if name != SESSION else "the environment" for name in lacking
    }


def test_a_report_fits_into_a_comment():
    # Names of characters of four bytes: not even the rows that are shown at most find room.
    names = [f"{number:03}{'🦀' * 140}" for number in range(60)]
    before, now = (
        Run({f"tests/test_a.py::{name}": by_address([Fact("results", name, value)]) for name in names})
        for value in (0.5, 0.6)
    )
    terms = Terms(before)
    content = machine.document(contrast(now, terms), terms, exitstatus=1, lockfile="a.lock", accept=UPDATE)
    told = markdown.written(content)
    assert len(told.encode()) <= markdown.LIMIT < 65_536
    found = rendered(told)
    count = len(found.tables[0]) - 1
    assert 20 < count < 50
    assert f"and {60 - count} more drifts: `--mlrepro-report=out.json` lists all" in told
    assert found.blocks == [f"{UPDATE}\n"]


@pytest.mark.parametrize(
    ("now", "left"),
    [(1.0 + 1e-12, "and 80 more facts: "), (2.0, "and 50 more drifts: "), ("gone", "and 50 more")],
)
def test_long_lists_are_cut(now, left):
    many = {f"results_r{number:03}": 1.0 for number in range(100)}
    assert f"{left}" in said(run(**many), run(**dict.fromkeys(many, now)))


def test_every_list_is_cut():
    subjects = {
        f"tests/test_a.py::test_{number:02}": by_address([Fact("results", "a", 1)]) for number in range(30)
    }
    here = run(results_f1=0.5)
    assert "and 10 more subjects: " in said(None, Run(subjects))
    assert "and 10 more subjects: " in said(Run({**subjects, **here.subjects}), here, whole=True)
    new = said(Run(), Run(subjects), update=True, written=True)
    assert "- `tests/test_a.py::test_19`: 1 fact (1 results)\n\nand 10 more subjects: " in new
    sites = [Site("model.py", line, "make", "default_rng()", "numpy") for line in range(1, 31)]
    assert "<summary>30 sites of unpinned randomness</summary>" in said(here, here, sites=sites)
    assert "and 10 more sites: " in said(here, here, sites=sites)
    content = document(here, here)
    clash = {"subject": MODEL, "facet": "results", "key": "a", "one": 1, "another": 2, "explanation": ""}
    assert "and 10 more facts: " in markdown.written({**content, "conflicts": [clash] * 30})
    many = {f"results_r{number:03}": 1.0 for number in range(100)}
    updated = said(run(**many), run(**dict.fromkeys(many, 2.0)), update=True, written=True)
    assert "and 50 more facts: " in updated
