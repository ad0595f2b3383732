"""Pinned regions: the same draws inside, the states of before after them."""

from __future__ import annotations

import importlib
import os
import random
import sys
import threading
import types
from contextlib import nullcontext
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.seeding import Seeding, State
from pytest_mlrepro.seeding.seeders import Seeder

ROOT = Path(__file__).parents[2]

PIN = "from pytest_mlrepro.seeding import Seeding; seeding = Seeding(); before = seeding.save(); seeding.pin(7)\n"


def draws():
    return (
        random.random(),
        random.gauss(0, 1),
        np.random.rand(),
        np.random.randn(),
        np.random.randint(99, size=3).tolist(),
    )


def states():
    kind, key, position, has_deviate, deviate = np.random.get_state()
    return random.getstate(), kind, key.tolist(), position, has_deviate, deviate if has_deviate else 0.0


@pytest.fixture
def further(tmp_path, monkeypatch):
    """Publishes seeders as an installed distribution would."""

    def publish(name, group, value, code=""):
        monkeypatch.syspath_prepend(tmp_path)
        if code:
            (tmp_path / f"{value.partition(':')[0]}.py").write_text(code, encoding="utf-8")
        info = tmp_path / f"{name}_dist-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}-dist\nVersion: 1.0\n", encoding="utf-8"
        )
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n", encoding="utf-8")

    before = set(sys.modules)
    yield publish
    for name in set(sys.modules) - before:
        if name.startswith("mlr_fake"):
            del sys.modules[name]


def test_the_same_draws_for_a_seed_and_others_for_another(seeding):
    seeding.pin(3)
    first = draws()
    seeding.pin(3)
    assert draws() == first
    seeding.pin(4)
    assert all(one != other for one, other in zip(draws(), first, strict=True))


def test_the_draws_are_those_of_the_libraries_own_seeding(seeding):
    seeding.pin(3)
    assert random.random() == random.Random(3).random()
    assert np.random.rand() == np.random.RandomState(3).rand()


@given(before=st.integers(0, 3), inside=st.integers(0, 3), pins=st.integers(0, 3))
def test_states_are_put_back_exactly(before, inside, pins):
    seeding = Seeding()
    for _ in range(before):
        # An odd number of deviates: numpy and random each hold one back.
        np.random.randn()
        random.gauss(0, 1)
    expected = states()
    state = seeding.save()
    assert states() == expected
    for _ in range(pins):
        seeding.pin(1)
        for _ in range(inside):
            draws()
    seeding.restore(state)
    assert states() == expected
    assert seeding not in sys.meta_path


def test_regions_nest(seeding):
    finders = list(sys.meta_path)
    seeding.pin(1)
    random.random()
    np.random.randn()
    here = states()
    outer_finders = list(sys.meta_path)
    state = seeding.save()
    seeding.pin(2)
    draws()
    seeding.restore(state)
    assert states() == here
    # The outer region is still open.
    assert sys.meta_path == outer_finders != finders


def test_put_back_after_an_exception(seeding):
    expected = states()
    state = seeding.save()
    try:
        seeding.pin(1)
        draws()
        np.random.choice([])
    except ValueError:
        seeding.restore(state)
    assert states() == expected


def test_what_cannot_be_put_back_does_not_keep_the_others(seeding):
    class Broken(Seeder):
        name = module = "broken"

        def restore(self, library, state):
            raise OSError("device lost")

    expected = states()
    saved = seeding.save()
    seeding.pin(1)
    broken = (Broken(), types.ModuleType("broken"), 0)
    with pytest.raises(OSError, match="device lost"):
        seeding.restore(State((broken, *saved.generators, broken), saved.seed, saved.pinned))
    assert states() == expected


def test_names_of_what_is_pinned(seeding):
    def names():
        return {name for name in seeding.pinned() if name in ("random", "numpy")}

    assert names() == set()
    seeding.pin(1)
    assert names() == {"random", "numpy"}
    assert seeding.pinned() == tuple(sorted(seeding.pinned()))
    inner = seeding.save()
    assert names() == set()
    seeding.restore(inner)
    assert names() == {"random", "numpy"}


def test_names_stay_after_the_last_region():
    seeding = Seeding()
    state = seeding.save()
    seeding.pin(1)
    names = seeding.pinned()
    seeding.restore(state)
    assert seeding.pinned() == names != ()


def test_libraries_that_are_not_imported_are_not_touched(fresh_process):
    code = """
import sys
from pytest_mlrepro.seeding import Seeding
seeding = Seeding()
for seed in 1, 2:
    state = seeding.save(); seeding.pin(seed); seeding.restore(state)
libraries = {"random", "numpy", "torch", "ctypes", "importlib.metadata"}
print(seeding.pinned(), libraries & sys.modules.keys())
"""
    # Whoever measures coverage in child processes has imported some of them.
    measures = {name: "" for name in os.environ if name.startswith("COVERAGE_PROCESS")}
    assert fresh_process(code, **measures) == "() set()"


@pytest.mark.parametrize(
    ("arrive", "draw"),
    [
        ("import numpy as np", "np.random.rand(2)"),
        ("import sklearn.ensemble, numpy as np", "np.random.rand(2)"),
        ("import random", "random.random()"),
    ],
)
def test_a_library_imported_while_pinned_is_pinned(arrive, draw, fresh_process):
    late = fresh_process(f"{PIN}{arrive}\nprint({draw})")
    assert late == fresh_process(f"{arrive}\n{draw}\n{PIN}print({draw})")


def test_a_library_imported_while_pinned_keeps_nothing_afterwards(fresh_process):
    code = "import numpy as np, sys; np.random.rand(); seeding.restore(before); print(seeding.pinned(), sys.meta_path)"
    shown = fresh_process(PIN + code)
    assert shown.startswith("('numpy', 'random')")
    assert "ImportWatch" not in shown


def test_a_library_that_arrives_in_an_inner_region_starts_with_the_outer_seed(fresh_process):
    arrive = "inner = seeding.save(); seeding.pin(8)\nimport numpy as np\nnp.random.rand(); seeding.restore(inner)\n"
    assert fresh_process(f"{PIN}{arrive}print(np.random.rand(2))") == str(np.random.RandomState(7).rand(2))


def test_reloading_random_goes_on_with_its_stream(fresh_process):
    # In a process of its own: generators made before a reload are of a class that the module no longer has.
    code = "import importlib, random\nprint(random.random(), importlib.reload(random).random())"
    expected = random.Random(5)
    printed = fresh_process(PIN.replace("pin(7)", "pin(5)") + code)
    assert printed == f"{expected.random()} {expected.random()}"


DRAWING = "import random, numpy as np\nrandom.seed(0)\nVALUES = random.random(), np.random.randn()\n"


@pytest.mark.parametrize("failing", [False, True])
def test_no_import_moves_the_streams(failing, seeding, tmp_path, monkeypatch):
    # sympy and rich draw from random when they are imported.
    (tmp_path / "mlr_fake_drawing.py").write_text(DRAWING + "1 / 0" * failing, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    seeding.pin(1)
    np.random.randn()
    random.random()
    expected = states()
    with pytest.raises(ZeroDivisionError) if failing else nullcontext():
        importlib.import_module("mlr_fake_drawing")
    assert states() == expected
    sys.modules.pop("mlr_fake_drawing", None)


def test_an_import_in_another_thread_leaves_the_streams_to_the_test(seeding, tmp_path, monkeypatch):
    # Putting them back there would give the test's own draws a second time.
    monkeypatch.syspath_prepend(tmp_path)
    helper = types.SimpleNamespace(started=threading.Event(), drawn=threading.Event())
    monkeypatch.setitem(sys.modules, "mlr_fake_helper", helper)
    monkeypatch.delitem(sys.modules, "polars", raising=False)
    (tmp_path / "polars.py").write_text(
        "import mlr_fake_helper as helper\nset_random_seed = print\nhelper.started.set()\nhelper.drawn.wait(10)\n",
        encoding="utf-8",
    )
    seeding.pin(1)
    thread = threading.Thread(target=importlib.import_module, args=("polars",))
    thread.start()
    assert helper.started.wait(10)
    numbers = [random.random()]
    helper.drawn.set()
    thread.join(10)
    # Not through monkeypatch: what it removes it would put back.
    del sys.modules["polars"]
    assert "polars" in seeding.pinned()
    expected = random.Random(1)
    assert [*numbers, random.random()] == [expected.random(), expected.random()]


def test_draws_in_the_import_that_brings_a_library_do_not_count(fresh_process, tmp_path):
    (tmp_path / "mlr_fake_drawing.py").write_text(DRAWING, encoding="utf-8")
    path = f"import sys; sys.path.append({str(tmp_path)!r})\n"
    code = f"{PIN}{path}import mlr_fake_drawing, numpy as np\nprint(np.random.rand(2))"
    assert fresh_process(code) == str(np.random.RandomState(7).rand(2))


@pytest.mark.parametrize("stand_in", [None, types.SimpleNamespace(), types.ModuleType("torch")])
def test_stand_ins_for_a_library_are_left_alone(stand_in, seeding, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", stand_in)
    monkeypatch.setitem(sys.modules, "cupy", stand_in)
    state = seeding.save()
    seeding.pin(1)
    assert "torch" not in seeding.pinned()
    seeding.restore(state)


def test_a_library_that_waits_to_be_imported_is_not_imported(seeding, monkeypatch, tmp_path):
    (tmp_path / "polars.py").write_text("raise AssertionError('imported')", encoding="utf-8")
    spec = importlib.util.spec_from_file_location("polars", tmp_path / "polars.py")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "polars", module)
    spec.loader.exec_module(module)
    seeding.pin(1)
    assert "polars" not in seeding.pinned()


def test_a_library_in_the_middle_of_its_import_is_left_to_the_watch(seeding, monkeypatch, tmp_path):
    seeds = []
    monkeypatch.setitem(sys.modules, "mlr_fake_helper", types.SimpleNamespace(seeding=seeding, seeds=seeds))
    (tmp_path / "polars.py").write_text(
        "import mlr_fake_helper as helper\n"
        "set_random_seed = helper.seeds.append\n"
        "helper.seeding.pin(2)\n"
        "assert helper.seeds == []\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "polars", raising=False)
    seeding.pin(1)
    importlib.import_module("polars")
    # Not through monkeypatch: what it removes it would put back.
    del sys.modules["polars"]
    assert seeds == [2]


def test_further_seeders_are_called_at_each_pin():
    seeds = []
    seeding = Seeding({"mine": seeds.append})
    outer = seeding.save()
    seeding.pin(4)
    seeding.pin(5)
    assert seeds == [4, 5]
    assert "mine" in seeding.pinned()
    inner = seeding.save()
    assert "mine" not in seeding.pinned()
    seeding.pin(6)
    # It cannot be put back: it starts again from the outer region's seed.
    seeding.restore(inner)
    assert seeds == [4, 5, 6, 5]
    seeding.restore(outer)
    assert seeds == [4, 5, 6, 5]


def test_a_further_seeder_does_not_keep_ours_from_pinning():
    seeding = Seeding({"mine": lambda seed: (random.seed(), np.random.seed())})
    state = seeding.save()
    try:
        seeding.pin(4)
        assert (random.random(), np.random.rand()) == (
            random.Random(4).random(),
            np.random.RandomState(4).rand(),
        )
    finally:
        seeding.restore(state)


@pytest.mark.parametrize("group", ["mlrepro.seeders", "pytest_randomly.random_seeder"])
def test_published_seeders_are_found(group, further):
    further(
        "mlr_fake", group, "mlr_fake_seeder:reseed", "SEEDS = []\ndef reseed(seed):\n    SEEDS.append(seed)\n"
    )
    seeding = Seeding.with_entry_points()
    state = seeding.save()
    seeding.pin(9)
    seeding.restore(state)
    assert sys.modules["mlr_fake_seeder"].SEEDS == [9]
    assert "mlr_fake" in seeding.pinned()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", "cannot be loaded (AttributeError: "),
        (
            "import mlr_fake_nowhere",
            "cannot be loaded (ModuleNotFoundError: No module named 'mlr_fake_nowhere')",
        ),
        ("raise RuntimeError('no licence')", "cannot be loaded (RuntimeError: no licence)"),
        ("reseed = 5", "cannot be called"),
    ],
)
def test_a_broken_entry_point_is_named(code, reason, further):
    further("mlr_fake", "mlrepro.seeders", "mlr_fake_seeder:reseed", code or "\n")
    with pytest.raises(ConfigError) as error:
        Seeding.with_entry_points()
    where, what = (
        "entry point 'mlr_fake' of the group 'mlrepro.seeders'",
        "the seeder mlr_fake_seeder:reseed ",
    )
    assert str(error.value).startswith(f"{where}: {what}{reason}")
    assert error.value.remedy


def test_our_own_seeder_for_others_is_not_called_by_us(further):
    further("mlr_fake", "pytest_randomly.random_seeder", "pytest_mlrepro.nowhere:reseed")
    assert Seeding.with_entry_points().pinned() == ()


def published_reseeder():
    """What pytest-randomly finds, as an installed distribution of ours publishes it."""
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (value,) = project["entry-points"]["pytest_randomly.random_seeder"].values()
    return EntryPoint("mlrepro", value, "pytest_randomly.random_seeder").load()


def test_whoever_reseeds_everything_ends_with_the_pin(seeding):
    reseed = published_reseeder()
    seeding.pin(3)
    expected = states()
    random.seed(99)
    np.random.seed(99)
    reseed(99)
    assert states() == expected


def test_reseeding_is_left_to_others_where_nothing_is_pinned():
    random.seed(99)
    expected = states()
    published_reseeder()(5)
    seeding = Seeding()
    state = seeding.save()
    seeding.pin(3)
    seeding.restore(state)
    published_reseeder()(5)
    assert states() == expected


def test_reseeding_comes_back_where_we_call_those_who_reseed(further):
    # Ours is published in the group that we call: it must not call itself.
    further("mlrepro", "pytest_randomly.random_seeder", "pytest_mlrepro.plugin.reseeding:reseed")
    seeding = Seeding.with_entry_points()
    state = seeding.save()
    try:
        seeding.pin(3)
        expected = states()
        published_reseeder()(99)
        assert states() == expected
        assert "mlrepro" not in seeding.pinned()
    finally:
        seeding.restore(state)
