"""Real models: the same in every process, equal within rounding on other machines, and what really moves is named."""

from __future__ import annotations

import pytest

SUITE = """
import os
import warnings

import numpy as np
import pytest
from sklearn import cluster, datasets, decomposition, ensemble, linear_model, metrics, neural_network, preprocessing
from sklearn.model_selection import train_test_split

warnings.simplefilter("ignore")


def cancer():
    X, y = datasets.load_breast_cancer(return_X_y=True)
    return train_test_split(preprocessing.StandardScaler().fit_transform(X), y)


def judged(mlrepro, model, data):
    X, X_test, y, y_test = data
    mlrepro.data("train", X)
    model.fit(X, y)
    mlrepro.classification(y_test, model.predict(X_test), name="test")
    chances = mlrepro.array("chances", model.predict_proba(X_test))
    mlrepro.metric("loss", metrics.log_loss(y_test, chances))


def test_forest(mlrepro):
    judged(mlrepro, ensemble.RandomForestClassifier(20), cancer())


def test_forest_of_numbers(mlrepro):
    X, X_test, y, y_test = train_test_split(*datasets.load_diabetes(return_X_y=True))
    model = ensemble.RandomForestRegressor(20, n_jobs=int(os.environ.get("OMP_NUM_THREADS", "1")))
    mlrepro.regression(y_test, model.fit(X, y).predict(X_test), name="test")


def test_logistic(mlrepro):
    judged(mlrepro, linear_model.LogisticRegression(), cancer())


def test_sgd(mlrepro):
    judged(mlrepro, linear_model.SGDClassifier(loss="log_loss"), cancer())


def test_mlp(mlrepro):
    judged(mlrepro, neural_network.MLPClassifier((16,), max_iter=40), cancer())


def test_kmeans(mlrepro):
    found = cluster.KMeans(10, n_init=2).fit(datasets.load_digits().data[:500])
    mlrepro.metric("inertia", found.inertia_)
    mlrepro.array("centres", found.cluster_centers_)
    mlrepro.array("labels", found.labels_)


def test_pca(mlrepro):
    found = decomposition.PCA(8, svd_solver="randomized").fit(datasets.load_digits().data)
    mlrepro.array("variance", found.explained_variance_)


def test_lightgbm(mlrepro):
    lightgbm = pytest.importorskip("lightgbm")
    judged(mlrepro, lightgbm.LGBMClassifier(n_estimators=20, subsample=0.7, subsample_freq=1, verbose=-1), cancer())


def test_xgboost(mlrepro):
    xgboost = pytest.importorskip("xgboost")
    judged(mlrepro, xgboost.XGBClassifier(n_estimators=20, subsample=0.7), cancer())


def test_torch(mlrepro):
    if "WITH_TORCH" not in os.environ:
        pytest.skip("asked for without torch")
    torch = pytest.importorskip("torch")
    X, y = datasets.load_digits(return_X_y=True)
    X, y = torch.tensor(X[:300] / 16, dtype=torch.float32), torch.tensor(y[:300])
    net = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Dropout(0.2), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    step = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(15):
        for rows in torch.randperm(len(X)).split(64):
            loss = torch.nn.functional.cross_entropy(net(X[rows]), y[rows])
            step.zero_grad()
            loss.backward()
            step.step()
    mlrepro.metric("loss", loss.detach().numpy())
    mlrepro.array("out", net.eval()(X[:20]).detach().numpy())
"""
CHAOS = """
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler


def test_chaotic(mlrepro):
    X, y = load_breast_cancer(return_X_y=True)
    # Columns that hardly vary: what scaling leaves of them is rounding noise.
    X = np.hstack([X, 1e6 + 1e-9 * np.random.randn(len(X), 3)])
    X = mlrepro.data("train", ORDER(X))
    scaled = StandardScaler().fit_transform(X)
    model = SGDClassifier(loss="log_loss", max_iter=300, tol=1e-6).fit(scaled, y)
    mlrepro.metric("loss", log_loss(y, model.predict_proba(scaled)))
"""
TIES = """
import numpy as np


def test_ties(mlrepro):
    values = mlrepro.data("values", np.random.randint(0, 50, 5000))
    mlrepro.array("order", np.argsort(values))
"""
VOCABULARY = """
import numpy as np
from sklearn.ensemble import RandomForestClassifier

WORDS = "the quick brown fox jumps over a lazy dog and some more words to sort by their hash".split()


def test_words(mlrepro):
    texts = mlrepro.data("texts", [list(np.random.choice(WORDS, 5)) for _ in range(200)])
    columns = {word: place for place, word in enumerate({word for text in texts for word in text})}
    X = np.zeros((len(texts), len(columns)))
    for row, text in enumerate(texts):
        for word in text:
            X[row, columns[word]] += 1
    y = ["fox" in text for text in texts]
    model = RandomForestClassifier(10).fit(X[:150], y[:150])
    mlrepro.array("chances", model.predict_proba(X[150:]))
"""
ONE = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
PATIENT = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
NO_FMA = "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F"
QUICK = ("-k", "test_forest or test_sgd")


def without_avx512():
    """What takes AVX-512 away from numpy, in the names of its version; empty where it uses none."""
    import numpy as np

    core = getattr(np, "_core", None) or np.core
    levels = core._multiarray_umath.__cpu_dispatch__
    features = core._multiarray_umath.__cpu_features__
    newest = [level for level in levels if level.startswith(("AVX512", "X86_V4")) and features.get(level)]
    return " ".join(newest)


@pytest.fixture
def models(empty):
    return empty.write({"test_models.py": SUITE}).setenv(**ONE)


def counts(ran):
    return {name: ran.report["counts"][name] for name in ("identical", "rounding", "drifts")}


def test_the_same_in_fresh_processes(models):
    models.update(*QUICK).ok()
    ran = models.setenv(PYTHONHASHSEED="1").check("--mlrepro-only=results", *QUICK).ok()
    assert counts(ran)["rounding"] == 0, ran.output


@pytest.mark.slow
def test_the_same_in_ten_fresh_processes(models):
    models = models.setenv(WITH_TORCH="1")
    models.update().ok()
    for seed in range(9):
        ran = models.setenv(PYTHONHASHSEED=str(seed)).check("--mlrepro-only=results").ok()
        assert counts(ran)["rounding"] == 0, ran.output


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"OMP_NUM_THREADS": "2", **PATIENT},
        {"OMP_NUM_THREADS": "4", **PATIENT},
        {"OPENBLAS_CORETYPE": "Haswell"},
        {"OPENBLAS_CORETYPE": "Nehalem"},
        {"OPENBLAS_CORETYPE": "Zen"},
        {"NPY_DISABLE_CPU_FEATURES": "AVX-512"},
        {"GLIBC_TUNABLES": NO_FMA},
        {"MALLOC_PERTURB_": "85"},
    ],
    ids=lambda environment: "-".join(map("=".join, list(environment.items())[:1])),
)
def test_other_threads_and_kernels_are_rounding(environment, models):
    if "NPY_DISABLE_CPU_FEATURES" in environment:
        environment = {"NPY_DISABLE_CPU_FEATURES": without_avx512()}
        if not without_avx512():
            pytest.skip("numpy does not use AVX-512 here")
    models = models.setenv(WITH_TORCH="1")
    models.update().ok()
    ran = models.setenv(**environment).check("--mlrepro-only=results").ok()
    found = counts(ran)
    assert found["identical"] > found["rounding"], ran.output


@pytest.mark.slow
def test_rows_in_another_order_in_memory(empty):
    project = empty.write({"test_chaos.py": CHAOS.replace("ORDER", "np.ascontiguousarray")}).setenv(**ONE)
    project.update().ok()
    moved = project.edit("test_chaos.py", "np.ascontiguousarray", "np.asfortranarray")
    red = moved.check().red()
    assert red.drifts() == {"results.loss"}
    assert red.suspects("results.loss") == ["data.train"]
    line = "the same values, in memory in Fortran order (column by column) instead of C order (row by row)"
    assert line in red.output
    # And back again: the lockfile knows what was accepted.
    moved.update().ok()
    back = moved.edit("test_chaos.py", "np.asfortranarray", "np.ascontiguousarray").check().red()
    assert back.suspects("results.loss") == ["data.train"]


@pytest.mark.slow
def test_order_in_memory_is_no_drift_by_itself(empty):
    test = CHAOS.replace("SGDClassifier", "LogisticRegression").replace(
        'loss="log_loss", max_iter=300, tol=1e-6', ""
    )
    project = empty.write(
        {"test_calm.py": test.replace("ORDER", "np.ascontiguousarray").replace("1e6 + 1e-9 *", "")}
    ).setenv(**ONE)
    project.update().ok()
    calm = project.edit("test_calm.py", "np.ascontiguousarray", "np.asfortranarray").check(
        "--mlrepro-only=results"
    )
    assert calm.drifts() == set(), calm.output


@pytest.mark.slow
def test_ties_in_another_instruction_set(empty):
    features = without_avx512()
    if not features:
        pytest.skip("numpy does not use AVX-512 here")
    project = empty.write({"test_ties.py": TIES}).setenv(**ONE)
    project.update().ok()
    red = project.setenv(NPY_DISABLE_CPU_FEATURES=features).check().red()
    assert red.drifts() == {"results.order", "libraries.env.NPY_DISABLE_CPU_FEATURES"}
    assert red.suspects("results.order")[0] == "libraries.env.NPY_DISABLE_CPU_FEATURES"


@pytest.mark.slow
def test_a_vocabulary_in_hash_order(empty):
    project = empty.write({"test_words.py": VOCABULARY}).setenv(**ONE)
    project.update().ok()
    red = project.setenv(PYTHONHASHSEED="5").check().red()
    assert red.drifts() >= {"results.chances", "randomization.hash_seed"}
    assert red.suspects("results.chances")[0] == "randomization.hash_seed"
    assert "PYTHONHASHSEED is not set" not in red.output


@pytest.mark.slow
def test_a_vocabulary_in_hash_order_that_nobody_set(empty):
    project = empty.write({"test_words.py": VOCABULARY}).setenv(OMP_NUM_THREADS="1")
    project.update().ok()
    for seed in ("random", ""):
        red = project.setenv(PYTHONHASHSEED=seed).check().red()
        assert red.drifts() == {"results.chances"}
        assert red.output.count("PYTHONHASHSEED is not set to a number") == 1
