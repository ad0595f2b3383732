"""The report as a web page, read by a parser as browsers have it."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from collections import Counter
from functools import cache
from types import SimpleNamespace

import html5lib
import pytest
from hypothesis import Phase, assume, given, settings
from report.hostile import HOSTILE, TEXTS
from report.page.samples import NAMES, OTHER, TEST, history, report, runs

from pytest_mlrepro.balance import contrast, draw
from pytest_mlrepro.gate import Terms
from pytest_mlrepro.ledger import Extent, Ledger
from pytest_mlrepro.model import Fact, Run, by_address
from pytest_mlrepro.report import machine, page
from pytest_mlrepro.report.gfm import cut, visible

SVG = "{http://www.w3.org/2000/svg}"


def parsed(text):
    """The tree; an error of syntax, which a browser would mend somehow, is an error."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def drawn(document, histories=page.NO_HISTORY):
    return parsed(page.written(document, histories))


def said(element):
    return " ".join("".join(element.itertext()).split())


def rows(tree, path=".//tbody/tr"):
    return [[said(cell) for cell in row] for row in tree.iterfind(path)]


def texts(tree, path):
    return [said(each) for each in tree.iterfind(path)]


def section(tree, name):
    return tree.find(f".//section[@id='{name}']")


def test_the_verdict_comes_first():
    tree = drawn(report())
    header = tree.find(".//header")
    assert header.get("class") == "verdict bad"
    assert said(header.find("h1")).endswith("Not reproduced")
    assert said(header).endswith(
        "text 13 facts of 3 subjects compared: 7 drifted (5 results, 1 settings, 1 libraries), 1 got worse."
    )
    brief = tree.find(".//section[@class='brief']")
    assert texts(brief, ".//h2") == ["What drifted", "Likely why"]
    assert texts(brief, ".//div/p")[0] == f"in {TEST}", "all that is shown there is of one test"
    assert texts(brief, ".//ul/li")[0] == "results.f1 worse 0.95 → 0.75 -0.2 (-21.0526 %)"
    # What the guard saw comes first, then what somebody changed.
    assert texts(brief, ".//ol/li")[:2] == [
        "text:3 unpinned randomness, default_rng() via text",
        "settings.depth 3 -> 4",
    ]
    assert texts(tree, ".//ul[@class='ladder']/li/b") == ["4", "1", "0", "2", "7"]
    assert texts(tree, ".//pre") == ["text"]


@pytest.mark.parametrize(
    ("change", "state", "title"),
    [
        ({"verdict": "reproduced", "exitstatus": 0}, "good", "✓ Reproduced"),
        ({"verdict": "reproduced", "exitstatus": 1}, "doubtful", "! Reproduced, as far as it ran"),
        ({"verdict": "updated", "written": True}, "written", "✓ Updated a.lock"),
        ({"verdict": "updated", "written": False}, "good", "✓ a.lock is up to date"),
        ({"verdict": "updated", "written": None}, "doubtful", "! Nothing accepted, a.lock is as it was"),
        ({"verdict": "drifted"}, "bad", "✗ Not reproduced"),
    ],
)
def test_each_verdict_in_words_and_colour(change, state, title):
    header = drawn({**report(), "lockfile": "a.lock", **change}).find(".//header")
    assert header.get("class") == f"verdict {state}"
    assert said(header.find("h1")) == title


def test_what_is_said_beside_the_verdict():
    before, now = runs()
    agreed = Terms(before, environment="here", recorded=frozenset({"there"}), only=frozenset({"results"}))
    document = machine.document(contrast(now, agreed), agreed, exitstatus=2)
    told = said(drawn(document).find(".//header"))
    assert ", results only: " in told
    assert "pytest was interrupted: this is not the whole suite." in told
    assert "The environment here is not recorded yet" in told
    empty = Terms()
    nothing = machine.document(draw(Ledger(), empty, Extent()), empty, exitstatus=5)
    told = said(drawn(nothing).find(".//header"))
    assert "0 facts of 0 subjects compared, nothing drifted. No test ran." in told


def test_a_drift_tells_all():
    tree = drawn(report())
    first = next(each for each in tree.iterfind(".//article") if said(each).startswith("results.f1"))
    assert said(first.find("h3")) == "results.f1 drifted worse"
    assert dict(zip(texts(first, ".//dt"), texts(first, ".//dd"), strict=True)) == {
        "before": "0.95",
        "now": "0.75",
        "change": "-0.2 (-21.0526 %)",
        "allowed": "±9.51e-10 (rtol 1e-09, atol 1e-12), or within 0.94 to 0.96 (calibrated)",
    }
    assert "outside the calibrated band" in said(first)
    links = {said(each): each.get("href") for each in first.iterfind(".//a")}
    settings = next(each for each in tree.iterfind(".//article") if said(each).startswith("settings.depth"))
    assert links["settings.depth"] == f"#{settings.get('id')}"
    plot = section(tree, "metrics").findall(".//figure")[1]
    assert links["Plot of its history"] == f"#{plot.get('id')}"
    assert said(plot).startswith("results.f1 worse")
    assert {each.get("href") for each in plot.iterfind(".//a")} == {f"#{first.get('id')}"}


def test_results_come_first_and_the_environment_last():
    heads = texts(drawn(report()), ".//article/h3/code")
    assert [head.partition(".")[0] for head in heads] == ["results"] * 5 + ["settings", "libraries"]


def test_without_suspects_it_says_where_to_look():
    before = Run({TEST: by_address([Fact("results", "f1", 0.95)])})
    now = Run({TEST: by_address([Fact("results", "f1", 0.75)])})
    document = machine.document(contrast(now, Terms(before)), Terms(before), exitstatus=1)
    tree = drawn({**document, "hints": ["PYTHONHASHSEED is not set"]})
    brief = said(tree.find(".//section[@class='brief']"))
    assert "Look for unpinned randomness, threads, the clock or the order of tests." in brief
    assert "PYTHONHASHSEED is not set" in brief
    assert "No suspect" in said(tree.find(".//article"))


def test_confusion_matrices_stand_side_by_side():
    tree = drawn(report())
    (row,) = tree.iterfind(".//div[@class='matrices']")
    assert texts(row, "figure/figcaption") == ["baseline", "this run", "difference"]
    numbers = [texts(each, f".//{SVG}text")[-4:] for each in row.iterfind("figure")]
    assert numbers == [["9", "1", "0", "10"], ["8", "2", "0", "10"], ["-1", "+1", "0", "0"]]


def test_arrays_show_by_how_much_their_values_moved():
    tree = drawn(report())
    (figure,) = tree.iterfind(".//figure[@class='moves']")
    assert "2 of 3 differ" in said(figure)


def test_what_drifted_in_several_tests_is_said_with_its_test():
    before = Run(
        {TEST: by_address([Fact("results", "f1", 0.5)]), OTHER: by_address([Fact("results", "f1", 0.5)])}
    )
    now = Run(
        {TEST: by_address([Fact("results", "f1", 0.25)]), OTHER: by_address([Fact("results", "f1", 0.25)])}
    )
    terms = Terms(before)
    tree = drawn(machine.document(contrast(now, terms), terms, exitstatus=1))
    brief = tree.find(".//section[@class='brief']")
    assert sorted(texts(brief, ".//ul/li/span[@class='hint']")) == [f"in {TEST}", f"in {OTHER}"]


def test_metrics_have_their_history():
    tree = drawn(report(), history())
    _, moved, *rest = section(tree, "metrics").iterfind(".//figure")
    assert rows(moved) == [
        ["text", "4text", "text", "0.95"],
        ["text", "3text", "text", "nan"],
        ["text", "2text", "text", "no value"],
        ["text", "1text", "text", "0.93"],
        ["text", "0text", "text", "0.9"],
    ]
    assert len(moved.findall(f".//{SVG}circle")) == 3
    assert len(moved.findall(f".//{SVG}path")) == 1
    kinds = [each.get("class") for each in moved.iterfind(f".//{SVG}rect")]
    assert kinds == ["zone band", "zone tolerance"]
    # A count that nobody called good or bad, and that is as it was, is no metric to watch.
    names = texts(section(tree, "metrics"), ".//figcaption/b")
    assert names == ["results.added", "results.f1", "results.loss", "results.same", "results.loss"]
    assert len(rest) == 3


def test_a_page_of_what_is_accepted_judges_nothing():
    before = runs()[0]
    terms = Terms(before)
    document = machine.document(contrast(before, terms), terms, exitstatus=0, lockfile="a.lock") | {
        "mode": "accepted"
    }
    tree = drawn(document, history())
    assert tree.find(".//header").get("class") == "verdict written"
    assert said(tree.find(".//h1")) == "What a.lock holds"
    told = "What a.lock holds 13 facts of 3 subjects, as somebody accepted them. No test was run, and nothing compared."
    assert said(tree.find(".//header")).endswith(told)
    assert not tree.findall(".//ul[@class='ladder']")
    assert "this run" not in said(tree.find(".//body"))
    assert "identical" not in said(section(tree, "subjects"))
    figures = {
        said(each.find("figcaption/b")): each for each in section(tree, "metrics").iterfind(".//figure")
    }
    assert not section(tree, "metrics").findall(f".//{SVG}path[@class]"), "no present run is marked"
    assert len(figures["results.f1"].findall(f".//{SVG}circle")) == 3
    assert "as before" not in said(figures["results.f1"])


def test_the_table_holds_every_subject_and_every_fact():
    document = report()
    table = section(drawn(document), "subjects")
    bodies = table.findall(".//tbody[@data-subject]")
    assert [each.get("data-subject") for each in bodies] == [TEST, "the environment", OTHER]
    assert [each.get("data-drifts") for each in bodies] == ["6", "1", "0"]
    facts = sum(len(each["facts"]) for each in document["subjects"])
    gone = sum(each["kind"] == "removed" for each in document["drifts"])
    found = table.findall(".//tr[@data-facet]")
    assert len(found) == facts + gone
    assert Counter(row.get("data-rung") for row in found) == {
        "drift": 7, "noted": 2, "identical": 4, "rounding": 1
    }  # fmt: skip
    assert set(bodies[0].get("data-facets").split()) == {"results", "settings", "source"}
    assert [each.get("data-facet") for each in found[:7]] == ["results"] * 5 + ["settings", "source"]


def test_too_many_facts_are_counted():
    many = Run(
        {
            f"a.py::test_{index}": by_address(Fact("settings", str(k), k) for k in range(40))
            for index in range(90)
        }
    )
    document = machine.document(contrast(many, Terms(many)), Terms(many), exitstatus=0)
    table = section(drawn(document), "subjects")
    assert len(table.findall(".//tbody[@data-subject]")) == 90
    assert len(table.findall(".//tr[@data-facet]")) == 3000
    assert "40 facts: mlrepro show lists them" in said(table)


def test_too_many_drifts_are_counted():
    many = Run({TEST: by_address(Fact("results", f"{k:03}", float(k)) for k in range(350))})
    moved = Run({TEST: by_address(Fact("results", f"{k:03}", k + 0.5) for k in range(350))})
    document = machine.document(contrast(moved, Terms(many)), Terms(many), exitstatus=1)
    tree = drawn(document)
    assert len(tree.findall(".//article")) == 300
    assert "and 50 drifts more: --mlrepro-report=out.json lists all" in said(section(tree, "drifts"))
    assert "and 150 metrics more" in said(section(tree, "metrics"))


def test_the_environment_and_what_differs():
    part = section(drawn(report()), "environment")
    found = rows(part, "./table/tbody/tr")
    assert [row[:3] for row in found] == [
        ["libraries.cpu.model", "A", "B"],
        ["libraries.numpy", "2.0", "2.1"],
    ]
    assert [row[4] for row in found] == ["fails nothing", "failed"]
    assert "libraries.numpy 2.1: text" in said(part)


def test_sites_of_unpinned_randomness():
    found = rows(section(drawn(report()), "unpinned"))
    assert found == [["text:3", "default_rng() via text", "1", "pass a seed: default_rng(mlrepro.seed)"]]


def test_whole_subjects_and_conflicts():
    document = {
        **report(),
        "stale": ["old::test"],
        "refused": ["red::test"],
        "conflicts": [
            {"subject": TEST, "facet": "results", "key": "x", "one": 1, "another": 2, "explanation": "1 -> 2"}
        ],
    }
    document["drifts"] = [{**document["drifts"][-1], "outcome": "new", "subject": "new::test"}]
    tree = drawn(document)
    told = dict(zip(texts(tree, ".//section/h2"), map(said, tree.iterfind(".//section[h2]")), strict=True))
    assert told["Stale"].endswith("No longer in the suite. old::test")
    assert told["Not accepted"].endswith("red::test")
    assert told["No baseline yet"].endswith("new::test")
    assert rows(tree)[0] == [TEST, "results.x", "1", "2", "+1 (+100 %)"]
    assert "Drifts" not in told
    dropped = drawn({**document, "mode": "update", "only": []})
    assert "Dropped" in texts(dropped, ".//section/h2")


def test_an_update_lists_what_was_accepted():
    before, now = runs()
    agreed = Terms(before, update=True)
    document = machine.document(contrast(now, agreed), agreed, exitstatus=0, lockfile="a.lock", written=True)
    document["drifts"] = [{**each, "outcome": "accepted"} for each in document["drifts"]]
    tree = drawn(document)
    assert texts(tree, ".//section[@class='brief']/div/h2")[0] == "What was accepted"
    assert "Review and commit a.lock." in said(tree)


def test_everything_is_explained_to_a_stranger():
    words = texts(section(drawn(report()), "guide"), ".//dt")
    assert words == ["fact", "facet", "subject", "baseline", "drift", "suspect"]


def test_every_link_leads_somewhere_on_the_page():
    tree = drawn(report(), history())
    ids = [each.get("id") for each in tree.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    targets = [each.get("href") for each in tree.iterfind(".//a")]
    assert len(targets) > 20
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_nothing_is_loaded_and_nothing_foreign_runs():
    text = page.written(report(), history())
    tree = parsed(text)
    policy = tree.find(".//meta[@http-equiv='Content-Security-Policy']").get("content")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:"
    for name, tag in (("style-src", "style"), ("script-src", "script")):
        (block,) = tree.iter(tag)
        digest = base64.b64encode(hashlib.sha256(block.text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    loading = {"src", "srcset", "action", "data", "poster", "style"}
    attributes = [(name, value) for each in tree.iter() for name, value in each.attrib.items()]
    assert not [pair for pair in attributes if pair[0] in loading or pair[0].startswith("on")]
    assert {value[:5] for name, value in attributes if name == "href" and value[0] != "#"} == {"data:"}
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    # The policy stands before anything that it is about.
    assert text.index("Content-Security-Policy") < text.index("<title>") < text.index("<style>")


def test_the_same_report_gives_the_same_bytes():
    document = report()
    known = copy.deepcopy(document)
    assert page.written(document, history()) == page.written(known, history())
    assert document == known, "the report itself is left as it is"


def outline(tree):
    """How many elements there are of each kind, with their parents, their attributes' names and all classes."""
    return Counter(
        (parent.tag, each.tag, tuple(sorted(each.attrib)), each.get("class"))
        for parent in tree.iter()
        for each in parent
    )


@cache
def expected():
    """The outline of the same page with harmless names."""
    return outline(drawn(report(), history()))


def check_shown_as_text(test, metric, setting, text, label):
    names = SimpleNamespace(
        test=f"t.py::{test}", metric=f"m{metric}", setting=f"s{setting}", text=text, label=label
    )
    document = report(names)
    written = page.written(document, history(names))
    written.encode("utf-8")
    tree = parsed(written)
    assert outline(tree) == expected()
    found = {each.text for each in tree.iter("code")}
    told = (
        machine.plain(f"results.{names.metric}"),
        machine.plain(f"settings.{names.setting}"),
        machine.plain(names.test),
    )
    assert {cut(visible(each), 2000) for each in told} <= found


@pytest.mark.parametrize("text", [each for each in HOSTILE if each])
def test_hostile_names_are_text(text):
    check_shown_as_text(text, text, text, text, text)


# A page takes long to parse: what fails is not made smaller.
@settings(max_examples=25, phases=(Phase.explicit, Phase.generate))
@given(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
def test_whatever_the_names_are_the_page_is_the_same(test, metric, setting, text, label):
    assume(text and setting != "" and f"s{setting}" != "text")
    check_shown_as_text(test, metric, setting, text, label)


def test_a_name_without_an_end_is_cut():
    names = SimpleNamespace(**{**vars(NAMES), "metric": "x" * 100_000})
    assert len(page.written(report(names))) < 150_000
