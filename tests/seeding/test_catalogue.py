"""The sources of randomness, one by one: what a pin makes repeat in fresh processes, and what it cannot."""

from __future__ import annotations

import pytest

PIN = "from pytest_mlrepro.seeding import Seeding; seeding = Seeding(); before = seeding.save(); seeding.pin(7)\n"

PINNED = {
    "random": "import random; out = [random.random(), random.gauss(0, 1), random.sample(range(99), 5)]",
    "numpy": "import numpy as np; out = [np.random.rand(3).tolist(), np.random.randn(), np.random.permutation(9)]",
    "a forest": """
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
X, y = load_iris(return_X_y=True)
out = RandomForestClassifier(5).fit(X, y).predict_proba(X).tolist()
""",
    "a split": """
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
out = train_test_split(load_wine().target)[1].tolist()
""",
    "a network": """
import warnings
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
X, y = load_digits(return_X_y=True)
warnings.simplefilter("ignore")
out = MLPClassifier((8,), max_iter=3).fit(X[:200] / 16, y[:200]).loss_curve_
""",
    "scipy": "from scipy import stats; out = stats.gamma(2).rvs(4).tolist()",
    "pandas": "import pandas as pd; out = pd.DataFrame({'x': range(50)}).sample(9).x.tolist()",
    "polars": "import polars as pl; out = pl.Series(range(99)).sample(9).to_list()",
    "numba": """
import numba, numpy as np
@numba.njit
def draw():
    return np.random.rand(), np.random.randn()
out = draw()
""",
    "torch": "import torch; out = torch.randn(3).tolist(), torch.randperm(9).tolist()",
    "torch layers": """
import torch
net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Dropout(0.5))
out = net(torch.ones(3, 4)).tolist()
""",
    "torch loader": """
import torch
from torch.utils.data import DataLoader, TensorDataset
out = [batch[0].tolist() for batch in DataLoader(TensorDataset(torch.arange(20)), batch_size=7, shuffle=True)]
""",
    "tensorflow": "import tensorflow as tf; out = tf.random.normal((3,)).numpy().tolist()",
    "keras": """
import keras
out = keras.random.uniform((3,)).tolist(), keras.layers.Dense(2)(keras.ops.ones((1, 2))).tolist()
""",
}
"""Programs whose draws differ from process to process, and agree once pinned."""

UNREACHED = {
    "default_rng": "import numpy as np; out = np.random.default_rng().random()",
    "RandomState": "import numpy as np; out = np.random.RandomState().rand()",
    "SeedSequence": "import numpy as np; out = np.random.SeedSequence().entropy",
    "Random": "import random; out = random.Random().random()",
    "SystemRandom": "import random; out = random.SystemRandom().random()",
    "secrets": "import secrets; out = secrets.randbits(64)",
    "urandom": "import os; out = os.urandom(8)",
    "uuid4": "import uuid; out = uuid.uuid4()",
    "hash order": "out = hash('a'), list({'a', 'b', 'c', 'd', 'e', 'f', 'g'})",
    "addresses": "out = id(object())",
    "a spawned process": """
import subprocess, sys
out = subprocess.run([sys.executable, "-c", "import numpy; print(numpy.random.rand())"], capture_output=True).stdout
""",
    "torch.seed": "import torch; out = torch.seed()",
}
"""Programs whose draws no seed reaches: they differ all the same. The guard is there for most of them."""

CONSTANT = {
    "an explicit seed": "import numpy as np; out = np.random.default_rng(0).random()",
    "torch.Generator": "import torch; out = torch.Generator().initial_seed()",
    "jax": "import jax; out = jax.random.normal(jax.random.key(0), (3,)).tolist()",
    "lightgbm": """
import lightgbm
from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True)
model = lightgbm.LGBMClassifier(n_estimators=3, subsample=0.5, subsample_freq=1, verbose=-1)
out = model.fit(X, y).predict_proba(X).tolist()
""",
    "xgboost": """
import xgboost
from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True)
out = xgboost.XGBClassifier(n_estimators=3, subsample=0.5).fit(X, y).predict_proba(X).tolist()
""",
    "catboost": """
import catboost
from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True)
model = catboost.CatBoostClassifier(iterations=3, verbose=0, allow_writing_files=False)
out = model.fit(X, y).predict_proba(X).tolist()
""",
}
"""Programs that draw the same numbers without any pin: their seeds are constants."""

LIBRARIES = (
    "catboost",
    "jax",
    "keras",
    "lightgbm",
    "numba",
    "pandas",
    "polars",
    "tensorflow",
    "torch",
    "xgboost",
)


@pytest.fixture
def draw(fresh_process, tmp_path):
    """Runs a program, pinned or not, and gives what it drew."""

    def run(program, pin, **environment):
        code = f"{PIN if pin else ''}{program}\nprint(out)"
        return fresh_process(code, KERAS_BACKEND="torch", **environment)

    return run


def cases(programs, quick):
    return [pytest.param(name, marks=[] if name in quick else pytest.mark.slow) for name in programs]


def need(program):
    for library in LIBRARIES:
        if f"import {library}" in program:
            pytest.importorskip(library)
    if "import keras" in program:
        pytest.importorskip("torch")


@pytest.mark.parametrize("source", cases(PINNED, ("random", "numpy", "a forest")))
def test_pinned_draws_agree_in_fresh_processes_and_others_differ(source, draw):
    need(PINNED[source])
    # Another hash seed must not matter; libraries arrive only after the pin.
    assert draw(PINNED[source], True, PYTHONHASHSEED="1") == draw(PINNED[source], True, PYTHONHASHSEED="2")
    plain = [draw(PINNED[source], False, PYTHONHASHSEED="1") for _ in range(2)]
    assert plain[0] != plain[1]


@pytest.mark.parametrize("source", cases(UNREACHED, ("default_rng",)))
def test_what_no_seed_reaches_differs_all_the_same(source, draw):
    need(UNREACHED[source])
    drawn = [draw(UNREACHED[source], True, PYTHONHASHSEED="random") for _ in range(2)]
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize("source", cases(CONSTANT, ("an explicit seed",)))
def test_what_has_a_constant_seed_needs_no_pin(source, draw):
    need(CONSTANT[source])
    assert draw(CONSTANT[source], True) == draw(CONSTANT[source], False)


@pytest.mark.slow
def test_hash_order_is_settled_by_its_variable(draw):
    order = UNREACHED["hash order"]
    assert draw(order, False, PYTHONHASHSEED="0") == draw(order, True, PYTHONHASHSEED="0")
    assert draw(order, False, PYTHONHASHSEED="1") != draw(order, False, PYTHONHASHSEED="2")
