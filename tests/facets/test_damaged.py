"""Details that a merge or an edit has damaged: they explain nothing then, and stop no run."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from lockfile.mutations import corpus

from pytest_mlrepro.errors import MlreproError
from pytest_mlrepro.facets import FACETS
from pytest_mlrepro.facets.data import Data
from pytest_mlrepro.facets.results import Results
from pytest_mlrepro.fingerprints import fingerprint
from pytest_mlrepro.fingerprints.differences import difference
from pytest_mlrepro.fingerprints.soundness import is_sound
from pytest_mlrepro.lockfile import loads
from pytest_mlrepro.lockfile.facts import decode_fact, encode_fact
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Agreement, Drift

JUNK = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        3,
        10**12,
        2**63,
        10**400,
        1.5,
        float("nan"),
        float("inf"),
        -0.0,
        1j,
        "",
        "a",
    ),
    *(
        "array",
        "table",
        "file",
        "spread",
        "float6",
        "0f0f",
        "x" * 300,
        "\ud800",
        "\0",
        (),
        (1,),
        (1, 2),
        ((1, 2),),
    ),
    *(
        (10**12, 10**12),
        ("a", "b"),
        (("a", "b"),),
        ((),),
        (None,),
        (("a", "int64", "0f", 1),),
        (0.5,) * 16,
        (0, -3),
    ),
    ((("a", 10**12),)),
)


def things(seed, folder):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.integers(0, 9, 400), "b": rng.normal(size=400), "c": list("xyzw" * 100)})
    return {
        "array": rng.normal(size=(400, 4)),
        "line": rng.normal(size=400),
        "wide": rng.normal(size=(20, 600)),
        "wide frame": pd.DataFrame(rng.normal(size=(20, 600))),
        "frame": frame,
        "category": frame["c"].astype("category"),
        "index": pd.Index(frame["a"]),
        "sparse": scipy.sparse.csr_matrix(rng.integers(0, 2, (50, 9))),
        "list": list(range(seed, seed + 100)),
        "dict": {"a": seed, "b": [1]},
        "records": np.zeros(5, dtype=[("x", "i4"), ("y", "f8")]),
        "folder": folder / f"folder{seed}",
        "file": folder / f"folder{seed}" / "f7",
        "large": rng.normal(size=(5000, 3)),
    }


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """Facts with what they were made of and how, twice: before and after some change."""
    tmp = tmp_path_factory.mktemp("damaged")
    found = []
    for seed in (0, 1):
        folder = tmp / f"folder{seed}"
        folder.mkdir()
        for number in range(90 if seed else 8):
            (folder / f"f{number}").write_bytes(bytes(range(number + seed)))
        for name, thing in things(seed, tmp).items():
            for options in ({}, {"ordered": False}, {"locate": True}):
                try:
                    found.append((*Data().capture(name, thing, **options), thing, options))
                except MlreproError:
                    continue
        rng = np.random.default_rng(seed)
        arrays = {
            "a": rng.normal(size=900),
            "b": rng.permutation(list("abcd" * 99)),
            "c": rng.integers(0, 3, 5000),
        }
        for name, array in arrays.items():
            found += [(fact, None, {}) for fact in Results().array(name, array, rtol=1e-3)]
            found += [(fact, None, {}) for fact in Results().array(name, array)]
    found += [(fact, None, {}) for text in corpus() for _, fact in loads(text) if fact.detail]
    return found


def damaged(rng, value):
    chance = rng.random()
    if isinstance(value, tuple) and value and chance < 0.75:
        at, how = rng.randrange(len(value)), rng.random()
        if how < 0.15:
            return value[:at] + value[at + 1 :]
        if how < 0.25:
            return value[:at] + value[at : at + 1] + value[at:]
        return (*value[:at], damaged(rng, value[at]), *value[at + 1 :])
    if isinstance(value, str) and value and chance < 0.4:
        at = rng.randrange(len(value))
        return value[:at] + rng.choice(("", "z", value[at] * 2)) + value[at + 1 :]
    if isinstance(value, int | float) and chance < 0.3:
        return rng.choice((-value, value + 1, value * 10**9))
    return rng.choice(JUNK)


def damage(rng, detail, known):
    names = sorted({name for fact, _, _ in known for name in fact.detail})
    made = dict(detail)
    for _ in range(rng.choice((1, 1, 2, 3))):
        name, how = rng.choice(list(made) or ["kind"]), rng.random()
        if how < 0.12:
            made.pop(name, None)
        elif how < 0.2:
            made[rng.choice(names)] = rng.choice(JUNK)
        else:
            made[name] = damaged(rng, made.get(name))
    return dict(rng.choice(known)[0].detail) if rng.random() < 0.1 else made


def test_a_damaged_detail_stops_nothing(known):
    explained = 0
    for seed in range(6_000):
        rng = random.Random(seed)
        fact, thing, options = rng.choice(known)
        value = rng.choice((fact.value, fact.value, "mlr1-blake3:" + "0" * 32, 1, None, (1, 2), 0.5, "x"))
        broken = replace(fact, detail=damage(rng, fact.detail, known), value=value)
        try:
            broken = decode_fact(fact.facet, fact.key, encode_fact(broken))
        except MlreproError:
            continue
        other = rng.choice([each for each, _, _ in known if (each.facet, each.key) == (fact.facet, fact.key)])
        room = FACETS[fact.facet]
        for before, now in ((broken, other), (other, broken)):
            rung = room.rung(before, now, DEFAULT_TOLERANCE)
            drift = Drift("a.py::test_a", fact.facet, fact.key, "changed", before, now)
            room.default_policy(drift)
            if rung == "drift":
                explained += 1
                assert room.explain(drift)
            elif rung != "identical":
                room.agree(Agreement("a.py::test_a", rung, before, now))
        if thing is not None and seed % 20 == 0:
            Data().capture(fact.key, thing, accepted=broken, **options)
    assert explained > 5_000


def test_what_a_fingerprint_tells_is_sound(known):
    details = [fact.detail for fact, _, _ in known if fact.facet == "data"]
    assert len(details) > 50
    assert [detail for detail in details if not is_sound(detail)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"rows": "many"},
        {"rows": -1},
        {"columns": (("a",),)},
        {"columns": 3},
        {"parts": "0f0f", "width": 10**18},
        {"parts": "0f" * 6, "width": 3, "dtypes": (("int64", 10**18),)},
        {"parts": "0f" * 6, "width": 3, "names": ("a",)},
        {"shape": (3, -1)},
        {"digests": "0f", "items": 10**12},
        {"digests": "0f0f0f0f", "items": 1, "chosen": (1, 2)},
        {"kind": "sparse", "shape": ()},
        {"entries": (("a", 1),)},
    ],
)
def test_what_does_not_fit_together_is_damaged(change):
    frame = fingerprint(pd.DataFrame({"a": [1, 2]})).detail
    broken = {**frame, **change}
    assert is_sound(frame)
    assert not is_sound(broken)
    assert "is damaged" in difference(broken, frame)
    assert difference(broken, frame, remark="all of it changed") == "all of it changed"


@pytest.mark.parametrize(
    "change", [{"columns": 3}, {"columns": (("a",), ("b",))}, {"parts": "0f", "width": 10**18}, {"parts": 3}]
)
def test_data_is_compared_with_a_damaged_detail(change):
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
    known = fingerprint(frame.assign(a=[1, 3]))
    broken = replace(known, detail={**known.detail, **change})
    assert fingerprint(frame, known=broken) == fingerprint(frame)


def test_a_detail_of_a_later_release_is_let_be():
    frame = fingerprint(pd.DataFrame({"a": [1, 2]})).detail
    assert is_sound({**frame, "another word": ((1, ("a",)), None)})
