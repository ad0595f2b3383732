"""What uses randomness for its own ends, or not at all: one a function, and none is to be told of."""

import asyncio
import concurrent.futures
import copy
import io
import math
import multiprocessing
import os
import pickle
import random
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import uuid
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import make_msgid
from unittest import mock

import numpy as np
import pytest

WORKLOADS, SLOW = {}, {}


def workload(function):
    WORKLOADS[function.__name__] = function
    return function


def slow(function):
    SLOW[function.__name__] = function
    return function


@workload
def temporary_files():
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(dir=folder):
        tempfile.mkstemp(dir=folder)
    # Made anew in each process, and in each thread.
    tempfile._RandomNameSequence().rng.choice("abc")


@workload
def seeded_generators():
    np.random.RandomState(0).rand()
    np.random.RandomState(np.random.MT19937(0))
    np.random.RandomState([1, 2, 3])
    np.random.default_rng(0)
    np.random.default_rng([1, 2])
    np.random.default_rng(np.random.SeedSequence(5).spawn(1)[0])
    random.Random(0)
    random.seed(3)
    np.random.seed(3)


@workload
def copied_generators():
    for made in (np.random.default_rng(0), np.random.RandomState(0), np.random.PCG64(1), random.Random(2)):
        copy.copy(made)
        copy.deepcopy(made)
        pickle.loads(pickle.dumps(made))
        pickle.load(io.BytesIO(pickle.dumps(made)))


@workload
def jumped_generators():
    np.random.PCG64(0).jumped()
    np.random.MT19937(0).jumped(3)
    np.random.Philox(0).jumped()


@workload
def cloned_estimators():
    base = pytest.importorskip("sklearn.base")
    from sklearn.linear_model import SGDClassifier

    base.clone(SGDClassifier(random_state=np.random.RandomState(0)))


@workload
def secure_sockets():
    ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wrapped = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        wrapped.do_handshake()


@workload
def email():
    message = MIMEMultipart()
    message.attach(MIMEText("text"))
    message["Message-ID"] = make_msgid()
    message.as_string()


@workload
def event_loop():
    async def work():
        await asyncio.gather(asyncio.sleep(0), asyncio.to_thread(math.sqrt, 2))

    asyncio.run(work())


@workload
def database():
    connection = sqlite3.connect(":memory:")
    connection.execute("select random()").fetchall()
    connection.close()


@workload
def mocks():
    with mock.patch("os.getpid", return_value=7):
        os.getpid()
    mock.MagicMock()()


@workload
def thread_pool():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(math.sqrt, range(4)))


@workload
def child_process():
    subprocess.run([sys.executable, "-c", "pass"], check=True)


@workload
def start_vector_given():
    linalg = pytest.importorskip("scipy.sparse.linalg")
    linalg.eigsh(np.diag(np.arange(1.0, 30)), k=2, v0=np.ones(29))
    linalg.eigs(np.diag(np.arange(1.0, 30)), k=2, v0=np.ones(29))
    linalg.svds(np.diag(np.arange(1.0, 30)), k=2, v0=np.ones(29))


@workload
def names_made_by_what_has_no_frames():
    next(iter(uuid.uuid4, None))


@workload
def seeds_of_all_kinds():
    # An epoch second that is not now, and what may be a process id.
    for seed in (1_700_000_000, 42, 1, 2**31 - 1, 2**32 - 1):
        np.random.seed(seed)
        np.random.default_rng(seed)
        random.seed(seed)


@workload
def parallel_threads_of_joblib():
    joblib = pytest.importorskip("joblib")
    joblib.Parallel(2, prefer="threads")(joblib.delayed(math.sqrt)(each) for each in range(4))
    with tempfile.TemporaryDirectory() as folder:
        joblib.Memory(folder, verbose=0).cache(math.gcd)(12, 8)


@workload
def parallel_estimators():
    ensemble = pytest.importorskip("sklearn.ensemble")
    model = ensemble.RandomForestClassifier(n_estimators=4, n_jobs=2, random_state=0)
    model.fit([[0.0], [1.0], [2.0]], [0, 1, 1]).predict([[1.0]])


@workload
def parquet():
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"a": [1, 2]})
    content = io.BytesIO()
    frame.to_parquet(content)
    pandas.read_parquet(content)


@slow
def ten_estimators():
    pytest.importorskip("sklearn")
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA, TruncatedSVD
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
    )
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC

    X = np.random.RandomState(0).rand(60, 4)
    y = (X[:, 0] > 0.5).astype(int)
    for model in (
        KMeans(2, n_init=1, random_state=0),
        PCA(2, svd_solver="randomized", random_state=0),
        TruncatedSVD(2, algorithm="arpack", random_state=0),
        ExtraTreesClassifier(5, random_state=0),
        GradientBoostingClassifier(n_estimators=3, subsample=0.5, random_state=0),
        HistGradientBoostingClassifier(max_iter=3, random_state=0),
        LogisticRegression(solver="saga", max_iter=5000, random_state=0),
        SGDClassifier(random_state=0),
        MLPClassifier((3,), max_iter=3000, random_state=0),
        SVC(random_state=0),
    ):
        model.fit(X, y)


@slow
def matplotlib_svg():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    figure = pyplot.figure()
    figure.gca().plot([1, 2], clip_on=True)
    figure.savefig(io.BytesIO(), format="svg")
    pyplot.close(figure)


@slow
def lightgbm():
    library = pytest.importorskip("lightgbm")
    library.LGBMClassifier(n_estimators=2, verbose=-1).fit(np.arange(60.0).reshape(60, 1), [0, 1] * 30)


@slow
def xgboost():
    library = pytest.importorskip("xgboost")
    library.XGBClassifier(n_estimators=2).fit(np.arange(60.0).reshape(60, 1), [0, 1] * 30)


@slow
def catboost():
    library = pytest.importorskip("catboost")
    model = library.CatBoostClassifier(iterations=2, verbose=0, allow_writing_files=False)
    model.fit(np.arange(60.0).reshape(60, 1), [0, 1] * 30)


@slow
def duckdb():
    library = pytest.importorskip("duckdb")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2]})
    library.from_df(frame).filter("a > 1").fetchall()
    library.sql("select * from frame").aggregate("sum(a)").fetchall()


@slow
def numba():
    library = pytest.importorskip("numba")
    library.njit(lambda x: x + 1)(1)


@slow
def data_loader():
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader, TensorDataset

    data = TensorDataset(torch.arange(8.0))
    for loader in (DataLoader(data, shuffle=True), DataLoader(data, num_workers=1, shuffle=True)):
        list(loader)


@slow
def spawned_processes():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.map(math.sqrt, range(3))
    multiprocessing.get_context("spawn").SimpleQueue().close()


@slow
def forked_processes():
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.map(math.sqrt, range(3))


@slow
def parallel_processes_of_joblib():
    joblib = pytest.importorskip("joblib")
    joblib.Parallel(2)(joblib.delayed(math.sqrt)(each) for each in range(4))
