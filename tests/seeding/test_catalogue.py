"""The catalogue of sources of randomness: each in fresh processes, pinned and not.

Pinned, two processes agree to the last bit. Unpinned they differ, or the source is told to be constant: then what
it draws without any seed is the same in every process.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Source:
    """A program that draws.

    Attributes:
        program: leaves what it drew in ``out``. ``SEED`` is the pinned seed; None where nothing is pinned.
        needs: modules without which it cannot run.
        constant: whether it draws the same without being pinned.
        before: environment variables that pin what can only be pinned before Python starts.
    """

    program: str
    needs: tuple[str, ...] = ()
    constant: bool = False
    before: tuple[tuple[str, str], ...] = ()


BOOSTED = """
from sklearn.datasets import load_wine
X, y = load_wine(return_X_y=True)
out = {make}.fit(X, y).predict_proba(X).tolist()
"""
FITTED = """
import warnings
from sklearn.datasets import load_digits
{imports}
X, y = load_digits(return_X_y=True)
warnings.simplefilter("ignore")
model = {make}.fit(X[:300] / 16, y[:300])
out = {drawn}
"""
TORCH_NETWORK = """
import torch
from sklearn.datasets import load_digits
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X[:300], dtype=torch.float32) / 16, torch.tensor(y[:300])
net = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Dropout(0.3), torch.nn.Linear(32, 10))
step = torch.optim.SGD(net.parameters(), 0.1)
for _ in range(5):
    rows = torch.randperm(len(X))
    loss = torch.nn.functional.cross_entropy(net(X[rows]), y[rows])
    step.zero_grad(); loss.backward(); step.step()
out = loss.item(), net[0].weight.sum().item()
"""
# Workers of torch are seeded from its own generator, numpy and random in them too.
TORCH_LOADER = """
import random
import numpy as np
import torch

class Data(torch.utils.data.Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, place):
        return place, torch.rand(1).item(), random.random()

loader = torch.utils.data.DataLoader(Data(), batch_size=2, shuffle=True, num_workers=1)
out = [[column.tolist() for column in batch] for batch in loader]
"""
FORKED = """
import random
import multiprocessing
with multiprocessing.get_context("fork").Pool(1) as pool:
    out = pool.apply(random.random), random.random()
"""
# Nothing of this process reaches a spawned worker: it has to be given a seed.
SPAWNED = """
import random
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
if __name__ == "__main__":
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(random.seed, SEED).result()
        out = pool.submit(random.random).result()
"""
NUMBA = """
import random
import numba
import numpy as np

@numba.njit
def draw():
    return np.random.random(), np.random.normal(), random.random(), random.gauss(0.0, 1.0), np.random.randint(9)

out = draw(), draw()
"""
VOCABULARY = "out = list({word for word in 'one two three four five six seven eight nine ten'.split()})"

CATALOGUE = {
    "random": Source("import random; out = random.random(), random.gauss(0, 1), random.sample(range(99), 5)"),
    "numpy global": Source(
        "import numpy as np; out = np.random.rand(3).tolist(), np.random.randn(), np.random.permutation(9).tolist()"
    ),
    "numpy default_rng": Source("import numpy as np; out = np.random.default_rng(SEED).random(3).tolist()"),
    "numpy RandomState": Source("import numpy as np; out = np.random.RandomState(SEED).rand(3).tolist()"),
    "hash order": Source(VOCABULARY, before=(("PYTHONHASHSEED", "0"),)),
    "hash of a string": Source("out = hash('fox') % 2**20", before=(("PYTHONHASHSEED", "0"),)),
    "order of a dict": Source("out = list(dict.fromkeys(['fox', 'dog', 'owl', 'bee']))", constant=True),
    "scipy distributions": Source(
        "from scipy import stats; out = stats.gamma(2).rvs(4).tolist()", ("scipy",)
    ),
    "scipy start vector": Source(
        "import numpy as np; from scipy.sparse import diags; from scipy.sparse.linalg import eigsh\n"
        "out = eigsh(diags(np.arange(200.0)), 3, v0=np.random.rand(200))[1].tolist()",
        ("scipy",),
    ),
    "pandas sample": Source(
        "import pandas as pd; out = pd.DataFrame({'x': range(50)}).sample(9).x.tolist()", ("pandas",)
    ),
    "scikit-learn split": Source(
        "from sklearn.datasets import load_wine; from sklearn.model_selection import train_test_split\n"
        "out = train_test_split(load_wine().target)[1].tolist()"
    ),
    "scikit-learn forest": Source(
        FITTED.format(
            imports="from sklearn.ensemble import RandomForestClassifier",
            make="RandomForestClassifier(5)",
            drawn="model.predict_proba(X).tolist()",
        )
    ),
    "scikit-learn SGD": Source(
        FITTED.format(
            imports="from sklearn.linear_model import SGDClassifier",
            make="SGDClassifier(max_iter=5)",
            drawn="model.coef_.tolist()",
        )
    ),
    "scikit-learn MLP": Source(
        FITTED.format(
            imports="from sklearn.neural_network import MLPClassifier",
            make="MLPClassifier((8,), max_iter=3)",
            drawn="model.loss_curve_",
        )
    ),
    "scikit-learn KMeans": Source(
        FITTED.format(
            imports="from sklearn.cluster import KMeans",
            make="KMeans(10, n_init=1)",
            drawn="model.cluster_centers_.tolist()",
        )
    ),
    "scikit-learn random projection of PCA": Source(
        FITTED.format(
            imports="from sklearn.decomposition import PCA",
            make="PCA(20, svd_solver='randomized', iterated_power=0)",
            drawn="model.explained_variance_.tolist()",
        )
    ),
    "scikit-learn gradient boosting by histogram": Source(
        FITTED.format(
            imports="from sklearn.ensemble import HistGradientBoostingClassifier",
            make="HistGradientBoostingClassifier(max_iter=3)",
            drawn="model.predict_proba(X).tolist()",
        ),
        constant=True,
    ),
    "process pool, forked": Source(FORKED),
    "process pool, spawned": Source(SPAWNED),
    "torch": Source("import torch; out = torch.rand(3).tolist(), torch.randperm(9).tolist()", ("torch",)),
    "torch network": Source(TORCH_NETWORK, ("torch",)),
    "torch loader": Source(TORCH_LOADER, ("torch",)),
    "torch Generator": Source(
        "import torch; out = torch.rand(3, generator=torch.Generator()).tolist()", ("torch",), constant=True
    ),
    "keras": Source(
        "import keras; out = keras.random.uniform((3,)).tolist(), "
        "keras.layers.Dense(2)(keras.ops.ones((1, 2))).tolist()",
        ("keras", "torch"),
    ),
    "tensorflow": Source(
        "import tensorflow as tf; out = tf.random.normal((3,)).numpy().tolist()", ("tensorflow",)
    ),
    "jax key": Source(
        "import jax; out = jax.random.normal(jax.random.key(3), (3,)).tolist()", ("jax",), constant=True
    ),
    "polars sample": Source(
        "import polars as pl; out = pl.Series(range(99)).sample(9).to_list()", ("polars",)
    ),
    "polars shuffle": Source(
        "import polars as pl; out = pl.Series(range(99)).shuffle().to_list()", ("polars",)
    ),
    "numba": Source(NUMBA, ("numba",)),
    "duckdb": Source(
        "import duckdb; c = duckdb.connect()\n"
        "if SEED: c.execute('select setseed(0.25)')\n"
        "out = c.execute('select random(), random()').fetchall()",
        ("duckdb",),
    ),
    "lightgbm": Source(
        "from lightgbm import LGBMClassifier"
        + BOOSTED.format(make="LGBMClassifier(n_estimators=5, subsample=0.5, subsample_freq=1, verbose=-1)"),
        ("lightgbm",),
        constant=True,
    ),
    "xgboost": Source(
        "from xgboost import XGBClassifier"
        + BOOSTED.format(make="XGBClassifier(n_estimators=5, subsample=0.5)"),
        ("xgboost",),
        constant=True,
    ),
    "catboost": Source(
        "from catboost import CatBoostClassifier"
        + BOOSTED.format(make="CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False)"),
        ("catboost",),
        constant=True,
    ),
}
QUICK = ("random", "numpy global", "numpy default_rng", "hash order")
PINNED = """
from pytest_mlrepro.seeding import Seeding
SEED, seeding = 7, Seeding()
before = seeding.save()
seeding.pin(SEED)
"""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in CATALOGUE]
)
def test_two_processes_agree_when_pinned_and_only_then(name, fresh_process, tmp_path):
    source = CATALOGUE[name]
    for module in source.needs:
        # Not imported here: only fresh processes use it.
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    common = {"KERAS_BACKEND": "torch", "MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3"}

    def drawn(prelude, hash_seed, **variables):
        return fresh_process(
            f"{prelude}\n{source.program}\nprint(out)", **{"PYTHONHASHSEED": hash_seed, **common, **variables}
        )

    # Another hash seed must not matter, unless it is the source; libraries arrive only after the pin.
    pinned = [drawn(PINNED, seed, **dict(source.before)) for seed in ("1", "2")]
    assert pinned[0] == pinned[1]
    assert pinned[0]
    free = [drawn("SEED = None", seed) for seed in ("1", "2")]
    assert (free[0] == free[1]) is source.constant


def test_what_is_pinned_is_not_merely_constant(fresh_process):
    draws = {
        fresh_process(PINNED.replace("7", seed) + "import random; print(random.random())") for seed in "78"
    }
    assert len(draws) == 2
