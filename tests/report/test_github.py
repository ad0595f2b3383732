"""Annotations of GitHub Actions, read as its runner reads them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from report.hostile import HOSTILE, TEXTS
from report.runner import Command, commands
from report.test_markdown import TEST, document
from strategies import RUNS

from pytest_mlrepro.contribution import Contribution
from pytest_mlrepro.ledger import Ledger
from pytest_mlrepro.model import SESSION, Fact, Run, by_address
from pytest_mlrepro.policy import Policies
from pytest_mlrepro.report import github
from pytest_mlrepro.report.gfm import visible
from pytest_mlrepro.report.github import LIMIT, annotation

OTHER = "tests/test_model.py::test_other"
INJECTED = (
    "::add-mask::x",
    "%0A::add-mask::x",
    "x\n::set-env name=A::b",
    "a,line=9::b",
    "##[add-mask]x",
    "100 %, 5:3",
)


def place(subject):
    return {TEST: ("tests/test_model.py", 7), SESSION: ("mlrepro.lock", None)}.get(subject, ("", None))


def found(before, now, **options):
    return [*commands("\n".join(github.commands(document(before, now, **options), place)))]


def run(subject=TEST, **facts):
    return Run({subject: by_address(Fact(*name.split("_", 1), value) for name, value in facts.items())})


def test_a_drift_is_an_error_on_the_test_with_its_suspects():
    (one, other) = found(run(results_f1=0.5, data_train="a"), run(results_f1=0.75, data_train="b"))
    assert one.name == other.name == "error"
    assert one.properties == {
        "file": "tests/test_model.py",
        "line": "7",
        "title": "mlrepro: results.f1 drifted",
    }
    lines = one.message.splitlines()
    assert lines[0].startswith(f"{TEST}: 0.5 -> 0.75 (+0.25, +50 %)")
    assert lines[1].startswith("suspect: data.train: ")
    assert lines[2:] == ["what is meant is accepted with: pytest --mlrepro-update"]
    assert other.properties["title"] == "mlrepro: data.train drifted"


def test_what_is_green_says_nothing():
    assert found(run(results_f1=0.5), run(results_f1=0.5)) == []


def test_a_warning_is_a_warning():
    policies = Policies(({"results": "warn"},))
    (one,) = found(run(results_f1=0.5), run(results_f1=0.75), policies=policies)
    assert (one.name, one.properties["line"]) == ("warning", "7")
    assert "accepted with" not in one.message


def test_the_environment_is_in_the_lockfile():
    ledger = Ledger()
    ledger.add(
        Contribution(SESSION, environment=run(SESSION, libraries_numpy="2").facts(SESSION), is_test=False)
    )
    (one,) = found(run(SESSION, libraries_numpy="1"), ledger)
    assert one.properties == {"file": "mlrepro.lock", "title": "mlrepro: libraries.numpy drifted"}
    assert one.message.startswith("the environment: numpy 1 -> 2")


def test_a_test_without_a_baseline_is_one_error():
    (one,) = found(run(OTHER, results_f1=0.5), run(results_f1=0.5, results_loss=1.0))
    assert one.properties == {"file": "tests/test_model.py", "line": "7", "title": "mlrepro: no baseline"}
    assert one.message == (
        f"{TEST}: its facts were recorded, but there is nothing to compare them with\n"
        "what is meant is accepted with: pytest --mlrepro-update"
    )


def test_a_fact_that_is_not_the_same_within_the_run_is_an_error():
    ledger = Ledger()
    for value in (0.5, 0.75):
        ledger.add(Contribution(TEST, run(results_f1=value).facts(TEST)))
    one = found(run(results_f1=0.5), ledger)[0]
    assert one.properties["title"] == "mlrepro: results.f1 is not the same within this run"
    assert one.message.startswith(f"{TEST}: ")


def test_of_many_suspects_some_are_shown():
    many = {f"settings_s{number}": 1 for number in range(10)}
    one = found(run(results_f1=0.5, **many), run(results_f1=0.75, **dict.fromkeys(many, 2)))[0]
    lines = one.message.splitlines()
    assert lines[-2] == f"and {10 - sum(line.startswith('suspect: ') for line in lines)} more suspects"


def test_no_more_than_github_shows_results_first():
    many = {f"results_m{number}": 1.0 for number in range(15)}
    drifted = found(run(settings_a=1, **many), run(settings_a=2, **dict.fromkeys(many, 2.0)))
    assert len(drifted) == LIMIT
    assert drifted[-1].properties == {"title": "mlrepro: 7 more"}
    assert all("results." in each.properties["title"] for each in drifted[:-1])
    exactly = {f"results_m{number}": 1.0 for number in range(LIMIT)}
    assert "more" not in found(run(**exactly), run(**dict.fromkeys(exactly, 2.0)))[-1].properties["title"]


@pytest.mark.parametrize("text", [*HOSTILE, *INJECTED])
def test_a_text_is_shown_as_it_is(text):
    (one,) = commands(annotation("error", (text, "second"), (text, 3), text))
    shown = visible(text)
    cut = shown if len(shown) <= 160 else f"{shown[:157]}..."
    assert one.properties.get("title", "") == cut
    # Names of files that hold control characters are no concern of an annotation, but must not end it.
    assert one.properties.get("file", "") == text
    assert one.message.splitlines()[-1] == "second"
    assert one.message.startswith(shown)


@given(TEXTS, TEXTS, TEXTS)
def test_no_name_or_value_is_a_command(subject, key, value):
    name = f"tests/test_a.py::{visible(subject)}"
    before, now = (Run.of({name: [Fact("results", f"m{key}", each)]}) for each in (0.5, value))
    printed = "\n".join(github.commands(document(before, now), lambda _: (name, 3)))
    (one,) = commands(printed)
    assert len(printed.splitlines()) == 1
    assert (one.name, [*one.properties]) == ("error", ["file", "line", "title"])


@settings(max_examples=30)
@given(RUNS, RUNS)
def test_every_line_is_a_command_of_ours(before, now):
    lines = [*github.commands(document(before, now), place)]
    assert all(line.startswith(("::error ", "::warning ")) for line in lines)
    assert [each.name for each in commands("\n".join(lines))] == [
        line.split()[0].strip(":") for line in lines
    ]


def test_a_command_without_anything():
    assert [*commands(annotation("error", ()))] == [Command("error", {}, "")]
