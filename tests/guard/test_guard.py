"""The guard itself: on, off, nested, in threads and forks, beside others who patch, and what it pins."""

from __future__ import annotations

import concurrent.futures
import linecache
import multiprocessing
import os
import pickle
import random
import subprocess
import sys
import time
import uuid
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

import pytest_mlrepro
from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.guard import Guard, UnpinnedError, parse_variations
from pytest_mlrepro.seeding import Seeding

ROOT = Path(pytest_mlrepro.__file__).parents[1]


def bound():
    """Everything that the guard binds to something else."""
    numpy = np.random
    return (
        numpy.bit_generator.randbits,
        numpy.bit_generator.ISeedSequence,
        numpy.mtrand._MT19937,
        numpy.seed,
        random._urandom,
        random.Random.seed.__code__,
        os.urandom,
        getattr(os, "getrandom", None),
        tuple(sys.meta_path),
    )


def _draw(answers):
    answers.put(np.random.default_rng().random())


def drawn():
    """From generators that nobody has seeded."""
    return (
        np.random.default_rng().random(),
        np.random.RandomState().rand(),
        random.Random().random(),
        uuid.uuid4().hex,
        os.urandom(100),
        random.SystemRandom().random(),
    )


class TestInstalling:
    def test_nothing_is_bound_outside_of_regions(self, guarded):
        before = bound()
        guard = guarded()
        assert bound() == before
        guard.enter("a", 1)
        assert all(a is not b for a, b in zip(before[:7], bound()[:7], strict=True))
        guard.leave()
        assert all(a is b for a, b in zip(before[:-1], bound()[:-1], strict=True))
        assert bound() == before

    def test_regions_nest(self, guarded):
        before = bound()
        guard = guarded()
        guard.enter("outer", 1)
        np.random.default_rng()
        guard.enter("inner", 2)
        random.Random()
        assert [site.call for site in guard.leave()] == ["random.Random()"]
        assert bound() != before
        np.random.default_rng()
        assert [site.call for site in guard.leave()] == ["default_rng()", "default_rng()"]
        assert bound() == before

    def test_guards_nest(self, guarded):
        before = bound()
        outer, inner = guarded(), guarded()
        outer.enter("a", 1)
        inner.enter("b", 1)
        drawn()
        assert inner.leave() == outer.leave()
        assert bound() == before

    def test_closing_puts_back_whatever_is_open(self, guarded):
        before = bound()
        guard = guarded()
        guard.enter("a", 1)
        guard.enter("b", 1)
        guard.close()
        assert bound() == before

    def test_what_the_test_binds_itself_stays(self, guarded, monkeypatch):
        guard = guarded()
        guard.enter("a", 1)
        monkeypatch.setattr(np.random.bit_generator, "randbits", lambda k: 7)
        mine = np.random.bit_generator.randbits
        first = np.random.default_rng().random()
        guard.leave()
        assert np.random.bit_generator.randbits is mine
        assert np.random.default_rng().random() == first

    def test_what_is_put_back_late_sees_nothing_and_goes_with_the_next_region(self, guarded, monkeypatch):
        original = np.random.bit_generator.randbits
        guard = guarded()
        guard.enter("a", 1)
        monkeypatch.setattr(np.random.bit_generator, "randbits", lambda k: 7)
        guard.leave()
        monkeypatch.undo()
        assert np.random.bit_generator.randbits is not original
        assert np.random.default_rng().random() != np.random.default_rng().random()
        guard.enter("b", 1)
        np.random.default_rng()
        assert len(guard.leave()) == 1
        assert np.random.bit_generator.randbits is original

    def test_a_stand_in_that_leads_to_ours_is_no_circle(self, guarded):
        original = np.random.bit_generator.randbits
        guard = guarded()
        guard.enter("a", 1)
        ours = np.random.bit_generator.randbits
        theirs = np.random.bit_generator.randbits = lambda k: ours(k) + 0
        guard.leave()
        guard.enter("b", 1)
        np.random.default_rng()
        (site,) = guard.leave()
        assert site.count == 1
        assert np.random.bit_generator.randbits is theirs
        np.random.bit_generator.randbits = original


class TestGenerators:
    def test_made_while_on_they_are_ordinary_ones(self, guarded):
        plain = np.random.RandomState(3).rand(4).tolist()
        guard = guarded()
        guard.enter("a", 1)
        made, seeded = np.random.RandomState(), np.random.RandomState(3)
        assert seeded.get_state()[0] == "MT19937"
        assert seeded.rand(4).tolist() == plain
        assert isinstance(made._bit_generator, np.random.MT19937)
        made.seed(3)
        np.random.seed(3)
        assert np.random.rand(4).tolist() == plain
        guard.leave()
        assert made.rand(4).tolist() == plain
        made.seed(3)
        assert made.rand(4).tolist() == plain
        np.random.seed(3)
        assert np.random.rand(4).tolist() == plain

    def test_pickles_need_nothing_of_ours(self, guarded):
        guard = guarded()
        guard.enter("a", 1)
        content = pickle.dumps([np.random.RandomState(0), np.random.RandomState(0)._bit_generator])
        guard.leave()
        assert b"mlrepro" not in content
        code = (
            f"import pickle, sys; print(pickle.loads({content!r})[0].rand(), 'pytest_mlrepro' in sys.modules)"
        )
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert told == f"{np.random.RandomState(0).rand()} False\n"

    def test_a_library_imported_meanwhile_is_watched_at_once(self, tmp_path):
        code = """
from pathlib import Path
import sys
from pytest_mlrepro.guard import Guard
guard = Guard(Path(sys.argv[0]).parent)
guard.enter("a", 1)
assert "numpy" not in sys.modules
from numpy.random import default_rng, RandomState
default_rng(); RandomState(0); RandomState()
print(*[site.call for site in guard.leave()])
"""
        told = script(code, tmp_path)
        assert told == "default_rng() RandomState()\n"


def script(code, folder, **environment):
    """What a program in a folder of its own prints."""
    path = folder / "program.py"
    path.write_text(code)
    done = subprocess.run(
        [sys.executable, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class TestFailing:
    def test_raises_at_the_call(self, guarded):
        guard = guarded("fail")
        guard.enter("a", 1)
        with pytest.raises(UnpinnedError) as caught:
            np.random.default_rng()
        line = caught.traceback[0].lineno + 1
        assert str(caught.value) == (
            f"mlrepro: unpinned randomness: test_guard.py:{line} default_rng() via numpy "
            "(in TestFailing.test_raises_at_the_call)\n"
            "pass a seed: default_rng(mlrepro.seed)\n"
            "The guard was told to fail such tests: --mlrepro-guard=warn only reports them, =pin pins them."
        )

    @pytest.mark.parametrize(
        "use",
        [
            np.random.RandomState,
            np.random.seed,
            random.Random,
            random.seed,
            uuid.uuid4,
            lambda: os.urandom(3),
        ],
    )
    def test_the_code_under_test_cannot_take_it_for_its_own(self, guarded, use):
        def careless():
            try:  # noqa: SIM105
                use()
            except Exception:  # noqa: BLE001 - what code under test does
                pass

        guard = guarded("fail")
        guard.enter("a", 1)
        with pytest.raises(UnpinnedError):
            careless()
        assert len(guard.leave()) == 1

    def test_everything_is_as_it_was_afterwards(self, guarded):
        before = bound()
        guard = guarded("fail")
        guard.enter("a", 1)
        with pytest.raises(UnpinnedError):
            np.random.default_rng()
        guard.leave()
        assert bound() == before
        np.random.default_rng()


class TestPinning:
    def test_draws_repeat(self, guarded):
        runs = []
        for _ in range(2):
            guard = guarded("pin")
            guard.enter("test", 1)
            runs.append([drawn(), drawn()])
            assert all(site.pinned and site.count == 2 for site in guard.leave())
        assert runs[0] == runs[1]
        assert all(a != b for a, b in zip(*runs[0], strict=True))

    @pytest.mark.parametrize("other", [("test", 2), ("test2", 1)])
    def test_another_seed_or_test_draws_something_else(self, guarded, other):
        guard = guarded("pin")
        runs = []
        for subject, seed in (("test", 1), other):
            guard.enter(subject, seed)
            runs.append(drawn())
            guard.leave()
        assert all(a != b for a, b in zip(*runs, strict=True))

    def test_in_every_process_the_same(self, tmp_path):
        code = """
import random, sys
from pathlib import Path
import numpy as np
from pytest_mlrepro.guard import Guard
guard = Guard(Path(sys.argv[0]).parent, "pin")
guard.enter("a", 1)
print(np.random.default_rng().random(), np.random.RandomState().rand(), random.Random().random())
guard.leave()
print(np.random.default_rng().random())
"""
        first, second = (script(code, tmp_path, PYTHONHASHSEED=seed).split("\n") for seed in "12")
        assert first[0] == second[0]
        assert first[1] != second[1]

    def test_a_new_site_leaves_the_others_alone(self, guarded, tmp_path):
        def run(text):
            path = tmp_path / "code.py"
            path.write_text(text)
            linecache.checkcache()
            guard = Guard(tmp_path, "pin")
            names = {}
            guard.enter("a", 1)
            exec(compile(text, str(path), "exec"), names)
            guard.leave()
            return names["x"], names["y"]

        plain = (
            "import numpy as np\nx = np.random.default_rng().random()\ny = np.random.default_rng().random()\n"
        )
        more = plain.replace("x =", "# moved\nz = np.random.default_rng()\nx =")
        assert run(plain) == run(more)
        assert len(set(run(plain))) == 2

    def test_one_site_can_be_varied_alone(self, guarded):
        def run(variations):
            guard = guarded("pin", variations=variations)
            guard.enter("a", 1)
            values = (
                np.random.default_rng().random(),
                np.random.RandomState().rand(),
            )
            return values, guard.leave()

        plain, (first, second) = run({})
        assert first.line != second.line
        varied, _ = run({first.address: 1})
        assert varied[0] != plain[0]
        assert varied[1] == plain[1]
        assert run({first.address: 2})[0][0] not in (plain[0], varied[0])
        assert run({first.address: 0})[0] == plain

    def test_variations_from_text(self):
        assert parse_variations('{"a.py:1": 2}') == {"a.py:1": 2}
        for broken in ("{", "[]", '{"a": "b"}', '{"a": true}'):
            with pytest.raises(ConfigError, match="not an object of numbers by site"):
                parse_variations(broken)


class TestCompany:
    def test_threads_lose_nothing(self, guarded):
        guard = guarded()
        guard.enter("a", 1)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: np.random.default_rng(), range(800)))
        (site,) = guard.leave()
        assert site.count == 800

    def test_threads_are_pinned_apart(self, guarded):
        def work(_):
            return np.random.default_rng().random()

        guard = guarded("pin")
        guard.enter("a", 1)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(work, range(200)))) == 200

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_a_fork_goes_on_by_itself(self, guarded):
        guard = guarded("pin")
        guard.enter("a", 1)
        guard._lock.acquire()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            # Whoever held the lock is not there to release it.
            os.write(writing, repr(np.random.default_rng().random()).encode())
            os._exit(0)
        guard._lock.release()
        os.waitpid(child, 0)
        assert 0 <= float(os.read(reading, 100)) < 1
        assert guard.leave() == ()
        os.close(reading)
        os.close(writing)

    @pytest.mark.slow
    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_forked_workers_are_pinned_apart(self, guarded):
        guard = guarded("pin")
        guard.enter("a", 1)
        forking = multiprocessing.get_context("fork")
        answers = forking.SimpleQueue()
        workers = [forking.Process(target=_draw, args=(answers,)) for _ in range(3)]
        for worker in workers:
            worker.start()
        drawn = {answers.get() for _ in workers}
        for worker in workers:
            worker.join()
        assert len(drawn) == 3

    def test_our_own_seeding_is_none_of_its_business(self, guarded):
        guard = guarded("fail")
        seeding = Seeding()
        state = seeding.save()
        guard.enter("a", 1)
        seeding.pin(5)
        seeding.restore(state)
        assert guard.leave() == ()

    def test_a_seed_that_looks_like_now_but_is_the_pinned_one(self, guarded):
        seed = int(time.time())
        guard = guarded()
        guard.enter("a", seed)
        random.seed(seed)
        np.random.default_rng(seed)
        assert guard.leave() == ()
        guard.enter("a", 1)
        random.seed(seed)
        assert len(guard.leave()) == 1

    def test_a_clock_that_the_test_has_set_is_as_good_as_a_seed(self, guarded):
        guard = guarded()
        with mock.patch("time.time", return_value=1_600_000_000.0):
            guard.enter("a", 1)
            random.seed(time.time())
            np.random.default_rng(int(time.time()))
            assert guard.leave() == ()
