"""What an update writes, and what it leaves alone."""

from __future__ import annotations

import pytest

TWO = """
import os


def test_first(mlrepro):
    mlrepro.metric("a", float(os.environ.get("A", "1")))
{extra}

def test_second(mlrepro):
    mlrepro.metric("b", float(os.environ.get("B", "1")))
"""


@pytest.fixture
def two(empty):
    project = empty.write({"test_two.py": TWO.format(extra="")})
    project.update().ok()
    return project


@pytest.mark.parametrize(
    "extra",
    [
        "    raise RuntimeError('by itself')",
        "    assert False",
        "    import pytest; pytest.skip('not today')",
        "    import pytest; pytest.xfail('known')",
        "    import pytest; pytest.exit('stop', 1)",
        "    raise KeyboardInterrupt",
    ],
    ids=["raises", "asserts", "skips", "xfails", "exits", "interrupted"],
)
def test_a_test_that_does_not_pass_keeps_its_baseline(two, extra):
    before = two.check().lockfile
    ran = two.setenv(A="5", B="1").write({"test_two.py": TWO.format(extra=extra)}).update()
    assert ran.lockfile == before
    assert "a = 1.0" in before


def test_a_fixture_that_errs_keeps_the_baseline(two):
    broken = TWO.format(extra="").replace(
        "def test_first(mlrepro)",
        "@pytest.fixture\ndef broken(mlrepro):\n    mlrepro.metric('a', 9)\n"
        "    raise RuntimeError\n\n\ndef test_first(mlrepro, broken)",
    )
    ran = two.write({"test_two.py": f"import pytest\n{broken}"}).update().red()
    assert ran.lockfile == two.check().lockfile


def test_only_passing_tests_are_written(two):
    ran = two.setenv(A="5", B="7").write({"test_two.py": TWO.format(extra="    assert False")}).update().red()
    assert "a = 1.0" in ran.lockfile
    assert "b = 7.0" in ran.lockfile
    assert "not accepted: test_two.py::test_first" in ran.output


def test_an_import_error_elsewhere_loses_nothing(two):
    before = two.check().lockfile
    ran = two.write({"test_broken.py": "import nowhere_to_be_found\n"}).update()
    assert ran.returncode == 2
    assert ran.lockfile == before


@pytest.mark.parametrize(
    "selection",
    [
        ("-k", "second"),
        ("test_two.py::test_second",),
        *(
            pytest.param(each, marks=pytest.mark.slow)
            for each in (
                ("--deselect", "test_two.py::test_first"),
                ("-m", "chosen"),
                ("-o", "python_functions=test_second"),
            )
        ),
    ],
)
def test_a_partial_run_drops_nothing(two, selection):
    if "-m" in selection:
        two = two.edit("test_two.py", "import os", "import os\n\nimport pytest").edit(
            "test_two.py", "def test_second", "@pytest.mark.chosen\ndef test_second"
        )
        selection = (*selection, "-W", "ignore::pytest.PytestUnknownMarkWarning")
    ran = two.setenv(B="7").update(*selection).ok()
    assert "a = 1.0" in ran.lockfile
    assert "b = 7.0" in ran.lockfile


def test_stale_baselines_are_named_then_dropped(two):
    gone = two.write({"test_two.py": TWO.format(extra="").replace("def test_second", "def later")})
    named = gone.check().ok()
    assert "stale, no longer in the suite: test_two.py::test_second" in named.output
    assert "test_second" in named.lockfile
    assert "test_second" not in gone.update().ok().lockfile


def test_a_metric_no_longer_recorded_is_red_and_dropped_by_update(two):
    less = two.edit("test_two.py", 'mlrepro.metric("b", float(os.environ.get("B", "1")))', "pass")
    red = less.check().red()
    assert red.drifts() == {"results.b"}
    assert "removed: was 1.0" in red.output
    assert "b = " not in less.update().ok().lockfile


def test_a_test_that_stops_using_the_fixture_is_red(two):
    less = two.edit(
        "test_two.py",
        'def test_second(mlrepro):\n    mlrepro.metric("b", float(os.environ.get("B", "1")))',
        "def test_second():\n    pass",
    )
    assert "results.b" in less.check().red().drifts()
    assert "test_second" not in less.update().ok().lockfile
    less.check().ok()


def test_a_new_metric_is_red(two):
    more = two.write({"test_two.py": TWO.format(extra='    mlrepro.metric("new", 3)\n')})
    assert more.check().red().drifts() == {"results.new"}


def test_only_one_facet_is_accepted_while_the_rest_must_match(two):
    moved = two.setenv(A="5").edit(
        "test_two.py", "def test_second(mlrepro):", "def test_second(mlrepro):\n    mlrepro.assume('x', 1)"
    )
    ran = moved.update("--mlrepro-only=assumptions").red()
    assert "results.a" in ran.output
    assert "a = 1.0" in ran.lockfile
    assert "x = 1" in ran.lockfile
    assert "b = 1.0" in ran.lockfile


def test_only_compares_one_facet(two):
    moved = two.setenv(A="5")
    assert moved.check("--mlrepro-only=settings").ok().drifts("note") == {"results.a"}
    assert moved.check("--mlrepro-only=results,settings").red().drifts() == {"results.a"}


def test_two_lockfiles(two):
    other = two.setenv(A="5").update("--mlrepro-lockfile=other.lock").ok()
    assert "a = 1.0" in other.lockfile
    assert "a = 5.0" in (other.project.root / "other.lock").read_text()


def test_permissions_stay_and_links_are_followed(two):
    real = two.root / "real.lock"
    (two.root / "mlrepro.lock").rename(real)
    real.chmod(0o640)
    (two.root / "mlrepro.lock").symlink_to(real)
    two.setenv(A="5").update().ok()
    assert (two.root / "mlrepro.lock").is_symlink()
    assert "a = 5.0" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640


def test_nothing_is_left_behind(two):
    two.setenv(A="5").update().ok()
    assert sorted(path.name for path in two.root.iterdir() if path.name.startswith(".")) == []


def test_a_test_whose_teardown_fails_keeps_its_baseline(two):
    broken = TWO.format(extra="").replace(
        "def test_first(mlrepro)",
        "@pytest.fixture\ndef broken():\n    yield\n    raise RuntimeError\n\n\ndef test_first(mlrepro, broken)",
    )
    ran = two.setenv(A="5").write({"test_two.py": f"import pytest\n{broken}"}).update().red()
    assert "a = 1.0" in ran.lockfile
    assert "not accepted: test_two.py::test_first" in ran.output


def test_a_test_that_passes_against_expectation_keeps_its_baseline(two):
    marked = two.edit("test_two.py", "def test_first", "@pytest.mark.xfail\ndef test_first")
    ran = marked.setenv(A="5").edit("test_two.py", "import os", "import os\n\nimport pytest").update().ok()
    assert "1 passed, 1 xpassed" in ran.output
    assert "a = 1.0" in ran.lockfile


def test_an_update_keeps_what_only_rounding_moved(two):
    before = two.check().lockfile
    moved = two.setenv(A="1.0000000000000002")
    assert moved.check().ok().report["counts"]["rounding"] == 1
    assert moved.update().ok().lockfile == before


def test_the_last_failures_alone_are_no_whole_suite(empty):
    test = (
        "import os\n\n\ndef test_it(mlrepro):\n    mlrepro.metric('{0}', float(os.environ.get('{0}', '1')))\n"
    )
    tests = {f"test_{name}.py": test.format(name) for name in "AB"}
    project = empty.write(tests)
    project.update().ok()
    moved = project.setenv(A="5")
    moved.check("-p", "cacheprovider").red()
    ran = moved.update("-p", "cacheprovider", "--lf").ok()
    assert "1 passed" in ran.output
    assert "A = 5.0" in ran.lockfile
    assert "B = 1.0" in ran.lockfile


PARAMETRIZED = """
import os

import pytest


@pytest.mark.parametrize("value", os.environ.get("VALUES", "1 2 3").split())
def test_value(mlrepro, value):
    mlrepro.metric("value", float(value))


def test_other(mlrepro):
    mlrepro.metric("other", 1)
"""


def test_a_parametrization_that_shrank_is_stale_and_one_that_is_empty_is_not(empty):
    project = empty.write({"test_p.py": PARAMETRIZED})
    before = project.update().ok().lockfile
    # Perhaps the folder that the values come from is not there today.
    assert project.setenv(VALUES="").update().ok().lockfile == before
    fewer = project.setenv(VALUES="1 2")
    assert fewer.update("-k", "value").ok().lockfile == before
    assert "stale, no longer in the suite: test_p.py::test_value[3]" in fewer.check().ok().output
    after = fewer.update().ok().lockfile
    assert "test_value[3]" not in after
    assert "test_value[2]" in after


DYNAMIC = """
import os

import pytest


@pytest.fixture(scope="module")
def model(mlrepro):
    mlrepro.metric("score", float(os.environ.get("SCORE", "1")))


def test_model(request):
    request.getfixturevalue("model")
    assert "FAIL" not in os.environ
"""


def test_a_fixture_that_a_failing_test_gets_at_run_time_keeps_its_baseline(empty):
    project = empty.write({"test_d.py": DYNAMIC})
    before = project.update().ok().lockfile
    ran = project.setenv(SCORE="5", FAIL="1").update().red()
    assert ran.lockfile == before
    assert "not accepted: test_d.py::model" in ran.output
