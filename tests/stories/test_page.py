"""The page of a real project, in a real browser: headless Chromium, driven by playwright."""

from __future__ import annotations

import os
import re
import shutil

import pytest
from history.repositories import git

from pytest_mlrepro.report import page
from pytest_mlrepro.report.page import Point
from pytest_mlrepro.report.past import histories

CHROMIUM = os.environ.get("MLREPRO_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "</script><img src=x onerror=alert(1)>"
REPORT = "--mlrepro-report=out.html"


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync.sync_playwright() as play:
        running = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def look(browser):
    """Opens a page; whatever it complains of or asks of the network fails the test."""
    contexts, troubles = [], []

    def open_page(path, **options):
        contexts.append(browser.new_context(viewport={"width": 1200, "height": 900}, **options))
        tab = contexts[-1].new_page()
        asked = []
        tab.on("console", lambda message: troubles.append(message.text))
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.on("dialog", lambda dialog: (troubles.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(path.as_uri())
        assert asked == [path.as_uri()]
        tab.on("request", lambda request: troubles.append(request.url))
        return tab

    yield open_page
    assert troubles == []
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def drifted(tmp_path_factory):
    """The page of the breast cancer project, after somebody made the forest smaller on purpose."""
    from stories.projects import Project

    project = Project.copy_of("breast_cancer", tmp_path_factory.mktemp("page"))
    changed = project.edit(
        "cancer/train.py", "n_estimators=50, min_samples_leaf=2", "n_estimators=8, min_samples_leaf=20"
    )
    return changed.check(REPORT).red()


def matching(tab, selector):
    return [each for each in tab.locator(selector).all() if each.is_visible()]


def seen(place):
    """Waits until something is on the screen: the page scrolls gently."""
    from playwright.sync_api import expect

    expect(place).to_be_in_viewport()


def test_the_page_is_read_off_the_report(empty):
    test = f"import os\n\n\ndef test_it(mlrepro):\n    mlrepro.metric({HOSTILE!r}, float(os.environ.get('F1', 0.5)))\n"
    project = empty.write({"test_it.py": test})
    project.update().ok()
    git(project.root, "init", "-q")
    git(project.root, "add", "mlrepro.lock")
    git(project.root, "commit", "-q", "-m", f"Accept {HOSTILE}")
    ran = project.setenv(F1="0.25").check(REPORT).red()
    told = (project.root / "out.html").read_text(encoding="utf-8")
    ((key, (point,)),) = histories(project.root / "mlrepro.lock", project.root).items()
    assert (key, point.value) == (("test_it.py::test_it", f"results.{HOSTILE}"), 0.5)
    assert told == page.written(dict(ran.report), {key: (point,)})
    assert "<td>Accept &lt;/script&gt;" in told
    assert HOSTILE not in told
    assert "results.&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in told


@pytest.mark.slow
def test_workers_and_a_recorded_run_give_the_same_page(empty):
    pytest.importorskip("xdist")
    test = (
        "import os\n\n\ndef test_it(mlrepro):\n    mlrepro.metric('f1', float(os.environ.get('F1', 0.5)))\n"
    )
    project = empty.write({"test_it.py": test})
    project.update().ok()
    changed = project.setenv(F1="0.25")
    changed.check(REPORT, "--mlrepro-record=run.lock").red()
    one = (project.root / "out.html").read_bytes()
    changed.check(REPORT, "-n", "2").red()
    assert (project.root / "out.html").read_bytes() == one
    changed.command("report", "run.lock", "-o", "again.html").red()
    again = (project.root / "again.html").read_text(encoding="utf-8")
    drifts = re.compile(r"<section id=\"drifts\">.*?</section>", re.DOTALL)
    assert drifts.search(again).group() == drifts.search(one.decode()).group()


@pytest.mark.slow
def test_a_person_sees_what_drifted_and_why(drifted, look):
    tab = look(drifted.project.root / "out.html")
    assert tab.title() == "Not reproduced · mlrepro"
    for text in ("Not reproduced", "results.test.accuracy", "settings.forest.min_samples_leaf"):
        place = tab.get_by_text(text).first.bounding_box()
        assert place["y"] + place["height"] < 600, f"{text} is not on the first screen"


@pytest.mark.slow
def test_search_and_filters_by_keyboard(drifted, look):
    tab = look(drifted.project.root / "out.html")
    facts = "tr[data-facet]"
    assert matching(tab, facts) == [], "the facts are folded away"
    tab.keyboard.press("/")
    assert tab.evaluate("document.activeElement.id") == "query"
    tab.keyboard.type("forest n_esti")
    (row,) = matching(tab, facts)
    assert "settings.forest.n_estimators" in row.inner_text()
    assert tab.locator("#found").inner_text() == "1 of 2 subjects, 1 facts"
    tab.keyboard.press("Escape")
    assert matching(tab, facts) == []
    tab.keyboard.press("Tab")
    tab.keyboard.type("results")
    assert {each.get_attribute("data-facet") for each in matching(tab, facts)} == {"results"}
    tab.keyboard.press("Escape")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Space")
    found = matching(tab, facts)
    assert len(found) == len([each for each in drifted.report["drifts"] if each["outcome"] == "failed"])
    assert {each.get_attribute("data-rung") for each in found} == {"drift"}
    assert len(matching(tab, "tbody[data-subject]")) == 1


@pytest.mark.slow
def test_from_a_drift_to_its_suspect_and_its_plot(drifted, look):
    tab = look(drifted.project.root / "out.html")
    card = tab.locator("article").filter(has=tab.locator("h3", has_text="results.test.f1"))
    card.get_by_role("link", name="settings.forest.min_samples_leaf").click()
    assert "settings.forest.min_samples_leaf" in tab.locator(":target h3").inner_text()
    tab.go_back()
    card.get_by_role("link", name="Plot of its history").click()
    target = tab.locator(":target")
    assert "results.test.f1" in target.inner_text()
    assert target.locator("svg path.now.drift").count() == 1
    seen(target)


@pytest.mark.slow
def test_a_link_unfolds_what_it_leads_to(drifted, look, tmp_path):
    same = [
        {**each, "facts": [{**fact, "rung": "identical"} for fact in each["facts"]]}
        for each in drifted.report["subjects"]
    ]
    document = {**drifted.report, "drifts": [], "verdict": "reproduced", "subjects": same}
    path = tmp_path / "out.html"
    path.write_text(page.written(document), encoding="utf-8")
    tab = look(path)
    tab.locator("#metrics summary").first.click()
    metric = tab.locator("#metric-5")
    assert not metric.is_visible()
    # Chromium unfolds it by itself on the way there; other browsers do not.
    tab.evaluate(
        "history.replaceState(null, '', '#metric-5'); dispatchEvent(new HashChangeEvent('hashchange'))"
    )
    seen(metric)


@pytest.mark.slow
def test_it_reads_without_scripts_and_in_the_dark(drifted, look):
    path = drifted.project.root / "out.html"
    tab = look(path, java_script_enabled=False)
    assert not tab.locator("#controls").is_visible()
    assert tab.get_by_role("heading", name="Not reproduced").is_visible()
    tab.locator("details.facts summary").first.click()
    assert len(matching(tab, "tr[data-facet]")) > 20
    colours = "getComputedStyle(document.body).backgroundColor"
    assert look(path, color_scheme="light").evaluate(colours) == "rgb(255, 255, 255)"
    assert look(path, color_scheme="dark").evaluate(colours) == "rgb(20, 23, 27)"


@pytest.mark.slow
def test_on_paper_everything_is_unfolded_but_the_table_of_facts(drifted, look):
    tab = look(drifted.project.root / "out.html")
    tab.emulate_media(media="print")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not tab.locator("nav").is_visible()
    assert tab.locator("details:not([open]):not(.facts)").count() == 0
    assert tab.locator("details.facts[open]").count() == 0
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator("#environment details[open]").count() == 0


@pytest.mark.slow
def test_nothing_of_a_hostile_report_runs(look, tmp_path):
    from types import SimpleNamespace

    from report.page.samples import history, report

    names = SimpleNamespace(
        test=f"t::{HOSTILE}", metric=HOSTILE, setting=HOSTILE, text=HOSTILE, label=HOSTILE
    )
    path = tmp_path / "out.html"
    path.write_text(page.written(report(names), history(names)), encoding="utf-8")
    tab = look(path)
    assert tab.locator("img").count() == 0
    assert tab.get_by_text(f"results.{HOSTILE}").first.is_visible()


@pytest.mark.slow
def test_the_policy_stops_what_the_template_would_let_through(browser, tmp_path, drifted):
    text = (drifted.project.root / "out.html").read_text(encoding="utf-8")
    path = tmp_path / "out.html"
    foreign = "<script>document.title = 'foreign'</script><img src='https://example.com/x.png'>"
    path.write_text(text.replace("<main", f"{foreign}<main", 1), encoding="utf-8")
    tab = browser.new_page()
    blocked, asked = [], []
    tab.on("console", lambda message: blocked.append(message.text))
    tab.on("requestfinished", lambda request: asked.append(request.url))
    tab.goto(path.as_uri())
    assert tab.title() == "Not reproduced · mlrepro"
    assert [url for url in asked if url.startswith("http")] == []
    assert len([each for each in blocked if "Content Security Policy" in each]) == 2
    tab.close()


@pytest.mark.slow
def test_history_is_drawn(drifted, look, tmp_path):
    document = dict(drifted.report)
    subject = "tests/test_model.py::test_forest"
    values = (0.91, 0.93, 0.92, None, 0.94, 0.9444444444444444)
    points = tuple(
        Point(f"c0ffee{n}", f"2026-0{n + 1}-14", f"Change {n}", value) for n, value in enumerate(values)
    )
    path = tmp_path / "out.html"
    path.write_text(page.written(document, {(subject, "results.test.f1"): points}), encoding="utf-8")
    tab = look(path)
    plot = tab.locator("figure.metric").filter(has_text="results.test.f1")
    assert plot.locator("circle.accepted").count() == 4
    assert plot.locator("polyline.past").count() == 2
    plot.locator("summary").click()
    assert "Change 4" in plot.inner_text()
