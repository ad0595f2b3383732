"""From an object to all the definitions that it is made of, and from files to what they import."""

import functools
import importlib
import importlib.util
import os
import sys
import textwrap

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from pytest_mlrepro.codegraph import CodeGraph
from pytest_mlrepro.errors import RecordingError

HELPERS = """
    THRESHOLD = 0.5
    UNRELATED = 1

    def scale(x):
        return x * THRESHOLD

    def unrelated(x):
        return UNRELATED
    """

TRAIN = """
    import numpy as np
    from shop.helpers import scale

    def fit(x):
        return np.mean(scale(x))

    def predict(x):
        return x
    """


class Folder:
    """A project on disk whose modules can be imported, edited and looked at."""

    def __init__(self, root):
        self.root = root
        self.graph = CodeGraph(root)
        self.clock = 1_000_000_000

    def write(self, **files):
        for name, text in files.items():
            path = self.root / f"{name.replace('__in__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
            # Two edits within a tick of the file system's clock must still differ.
            self.clock += 1_000_000
            os.utime(path, ns=(self.clock, self.clock))
        return self

    def load(self, name):
        importlib.invalidate_caches()
        return importlib.import_module(name)

    def load_file(self, path, name):
        spec = importlib.util.spec_from_file_location(name, self.root / path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    def names(self, obj):
        return sorted(self.graph.definitions(obj))

    def changes(self, obj, **files):
        """The definitions that differ once these files are written."""
        before = dict(self.graph.definitions(obj))
        after = self.write(**files).graph.definitions(obj)
        return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Folder(tmp_path)
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__spec__", "")):
            del sys.modules[name]


@pytest.fixture
def shop(folder):
    return folder.write(shop__in____init__="", shop__in__helpers=HELPERS, shop__in__train=TRAIN)


# ---- what is reached


def test_a_function_is_made_of_what_it_uses_in_other_modules(shop):
    fit = shop.load("shop.train").fit
    found = shop.graph.definitions(fit)
    assert list(found) == ["shop.helpers:THRESHOLD", "shop.helpers:scale", "shop.train:fit"]
    assert all(len(digest) == 8 and int(digest, 16) >= 0 for digest in found.values())


def test_a_change_far_away_shows_and_an_unrelated_one_does_not(shop):
    fit = shop.load("shop.train").fit
    assert shop.changes(fit, shop__in__helpers=HELPERS.replace("0.5", "0.6")) == ["shop.helpers:THRESHOLD"]
    assert shop.changes(fit, shop__in__helpers=HELPERS.replace("0.5", "0.6").replace("= 1", "= 2")) == []
    assert shop.changes(fit, shop__in__train=TRAIN.replace("return x", "return -x")) == []
    assert shop.changes(fit, shop__in__train=TRAIN + "# end\n") == []


def test_the_import_behind_a_name_counts(shop):
    fit = shop.load("shop.train").fit
    other = TRAIN.replace("import numpy as np", "import numpy.ma as np")
    assert shop.changes(fit, shop__in__train=other) == ["shop.train:fit"]


def test_imports_written_in_another_way_do_not_count(shop):
    fit = shop.load("shop.train").fit
    assert shop.changes(fit, shop__in__train=TRAIN.replace("from shop.helpers", "from .helpers")) == []


@pytest.mark.parametrize(
    "code",
    [
        "from shop import helpers\ndef f(x): return helpers.scale(x)",
        "from . import helpers as h\ndef f(x): return h.scale(x)",
        "import shop.helpers\ndef f(x): return shop.helpers.scale(x)",
        "import shop.helpers as h\ndef f(x): return h.scale(x)",
        "def f(x):\n  from shop.helpers import scale as s\n  return s(x)",
        "def f(x):\n  from shop import helpers\n  return [helpers.scale(y) for y in x]",
        "from .helpers import scale\ndef f(x, by=scale): return by(x)",
        "from .helpers import scale\n@(lambda f: f)\ndef f(x): return scale(x)",
        "from .helpers import scale\ndef by(f): return lambda g: g\n@by(scale)\ndef f(x): return x",
        "from .helpers import *\ndef f(x): return scale(x)",
        "try:\n  from .gone import scale\nexcept ImportError:\n  from .helpers import scale\ndef f(x): return scale(x)",
        "from .helpers import scale\ndef f(x):\n  def inner():\n    return scale(x)\n  return inner",
        "from .helpers import scale\nf = lambda x: scale(x)",
        "import contextlib as c\nwith c.suppress(OSError):\n  from .helpers import scale\ndef f(x): return scale(x)",
        "from .helpers import scale\ndef f(x):\n  match x:\n    case 1: return scale(x)",
    ],
)
def test_every_way_to_use_a_function(shop, code):
    names = shop.write(shop__in__user=code).names(shop.load("shop.user").f)
    assert {"shop.helpers:scale", "shop.helpers:THRESHOLD", "shop.user:f"} <= set(names)
    assert "shop.helpers:unrelated" not in names


@pytest.mark.parametrize(
    "code",
    [
        "from . import helpers\ndef f(name): return getattr(helpers, name)",
        "from . import helpers\ndef f(): return helpers.made_at_run_time",
        "import importlib\ndef f(): return importlib.import_module('shop.helpers').scale",
        "from .helpers import *\ndef f(): return made_at_run_time",
    ],
)
def test_where_a_name_cannot_be_told_the_whole_module_counts(shop, code):
    names = shop.write(shop__in__user=code).names(shop.load("shop.user").f)
    assert "shop.helpers:unrelated" in names


@pytest.mark.parametrize(
    "code",
    [
        "from .helpers import scale\ndef f(scale): return scale",
        "from .helpers import scale\ndef f(): scale = 1; return scale",
        "from .helpers import scale\ndef f(x: scale) -> scale: return x",
        "from .helpers import scale\ndef f(): return [scale for scale in (1, 2)]",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  from .helpers import scale\ndef f(x): pass",
        "from typing import TYPE_CHECKING\ndef f():\n  if TYPE_CHECKING:\n    from .helpers import scale\n    scale(x)",
        "from .helpers import scale\ndef f(): pass\nif __name__ == '__main__':\n  scale(f)",
        "import shop.helpers as h\ndef f(): return h.__name__",
    ],
)
def test_what_is_not_used_does_not_count(shop, code):
    assert shop.write(shop__in__user=code).names(shop.load("shop.user").f) == ["shop.user:f"]


def test_a_local_name_in_a_comprehension_hides_nothing_outside_it(shop):
    code = "from .helpers import scale\ndef f(): return [scale for scale in (1, 2)], scale(3)"
    assert "shop.helpers:scale" in shop.write(shop__in__user=code).names(shop.load("shop.user").f)


def test_names_re_exported_by_a_package_lead_to_their_definition(shop):
    shop.write(
        shop__in____init__="from .train import fit",
        shop__in__fit="def fit(): 'a submodule of the same name'",
        user="import shop\ndef f(x): return shop.fit(x)",
    )
    assert shop.names(shop.load("user").f) == [
        "shop.helpers:THRESHOLD",
        "shop.helpers:scale",
        "shop.train:fit",
        "user:f",
    ]


def test_circular_imports_end(folder):
    folder.write(
        ring__in____init__="",
        ring__in__one="from . import two\ndef f(): return two.g()",
        ring__in__two="from . import one\ndef g(): return one.f()",
        ring__in__star_a="from .star_b import *",
        ring__in__star_b="from .star_a import *",
        ring__in__user="from .star_a import *\ndef h(): return lost",
    )
    assert folder.names(folder.load("ring.one").f) == ["ring.one:f", "ring.two:g"]
    assert folder.names(folder.load("ring.user").h) == ["ring.user:h"]


def test_submodules_count_only_when_they_are_used(folder):
    folder.write(
        pack__in____init__="",
        pack__in__used="def f(): return 1",
        pack__in__spare="def f(): return 2",
        user="import pack.used\ndef g(): return pack.used.f()",
    )
    assert folder.names(folder.load("user").g) == ["pack.used:f", "user:g"]


def test_namespace_packages_are_followed(folder):
    folder.write(
        space__in__sub__in__mod="def f(): return 1", user="from space.sub import mod\ndef g(): return mod.f()"
    )
    assert folder.names(folder.load("user").g) == ["space.sub.mod:f", "user:g"]


# ---- bodies of modules


def test_statements_with_effects_count_once_anything_imports_their_module(shop):
    # What the module does on import is done to this process.
    with np.errstate():
        shop.write(shop__in____init__="import numpy\nnumpy.seterr(all='raise')")
        fit = shop.load("shop.train").fit
        assert "shop:<body>" in shop.names(fit)
        assert shop.changes(fit, shop__in____init__="import numpy\nnumpy.seterr(all='warn')") == [
            "shop:<body>"
        ]


@pytest.mark.parametrize(
    ("decorator", "registry"),
    [
        ("register", "KNOWN = {}\ndef register(f):\n  KNOWN[f.__name__] = f\n  return f"),
        ("register", "KNOWN = []\ndef register(f):\n  KNOWN.append(f)\n  return f"),
        ("register('n')", "KNOWN = {}\ndef register(name):\n  return lambda f: KNOWN.update({name: f}) or f"),
        ("KNOWN.add", "class Registry(dict):\n  def add(self, f):\n    return f\nKNOWN = Registry()"),
    ],
)
def test_what_a_decorator_registers_counts_once_the_registry_does(folder, decorator, registry):
    folder.write(
        pack__in____init__="from . import models",
        pack__in__registry=registry,
        pack__in__models=f"from .registry import *\n@{decorator}\ndef net(): return 1\ndef spare(): pass",
        pack__in__train="from .registry import KNOWN\ndef fit(name): return KNOWN[name]()\ndef other(): return 1",
    )
    train = folder.load("pack.train")
    names = folder.names(train.fit)
    assert "pack.models:net" in names
    assert "pack.models:spare" not in names
    assert folder.names(train.other) == ["pack.train:other"]


def test_what_is_registered_late_counts_too(folder):
    folder.write(
        pack__in____init__="",
        pack__in__registry="KNOWN = {}\ndef register(f):\n  KNOWN[f.__name__] = f\n  return f",
        pack__in__models="from .registry import register\n@register\ndef net(): return 1",
        pack__in__loading="def load():\n  from . import models",
        pack__in__train="from .registry import KNOWN\nfrom .loading import load\ndef fit(name):\n  return start(name)\n"
        "def start(name):\n  load()\n  return KNOWN[name]()",
    )
    assert "pack.models:net" in folder.names(folder.load("pack.train").fit)


def test_implementations_of_a_dispatched_function_count_wherever_they_are(folder):
    folder.write(models=CLASSES, other="import models\n@models.shape.register\ndef more(x: str): return 2")
    folder.load("other")
    assert folder.names(folder.load("models").shape) == ["models:_", "models:shape", "other:more"]


def test_a_decorator_that_only_wraps_does_not_reach_its_other_functions(folder):
    folder.write(
        tools="def timed(f):\n  def wrapper(*args):\n    return f(*args)\n  return wrapper",
        user="from tools import timed\n@timed\ndef f(): pass\n@timed\ndef g(): pass\ndef h(): return f()",
    )
    assert folder.names(folder.load("user").h) == ["tools:timed", "user:f", "user:h"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "if FLAG:\n  def f(): return 1\nelse:\n  def f(): return 2",
            "if not FLAG:\n  def f(): return 1\nelse:\n  def f(): return 2",
        ),
        (
            "try:\n  x = 1\nexcept ValueError:\n  x = 2\ndef f(): return x",
            "try:\n  x = 1\nexcept OSError:\n  x = 2\ndef f(): return x",
        ),
        ("if FLAG:\n  def f(): return 1", "if not not FLAG:\n  def f(): return 1"),
        (
            "try:\n  import gone\nexcept ImportError:\n  x = 2\ndef f(): return x",
            "try:\n  import gone\nexcept Exception:\n  x = 2\ndef f(): return x",
        ),
        ("x = 1\nx += 1\ndef f(): return x", "x = 1\nx += 2\ndef f(): return x"),
        ("a, (b, *c) = 1, (2, 3)\ndef f(): return c", "a, (b, *c) = 1, (2, 4)\ndef f(): return c"),
        ("x = {}\nx['a'] = 1\ndef f(): return x", "x = {}\nx['a'] = 2\ndef f(): return x"),
        ("for i in 1, 2:\n  x = i\ndef f(): return x", "for i in 1, 3:\n  x = i\ndef f(): return x"),
        (
            "def f(): return globals()['g']()\ndef g(): return 1",
            "def f(): return globals()['g']()\ndef g(): return 2",
        ),
        ("def f():\n  global x\n  x += 1\nx = 1", "def f():\n  global x\n  x += 1\nx = 2"),
    ],
)
def test_what_a_name_rests_on_counts(folder, old, new):
    f = folder.write(user=f"FLAG = True\n{old}").load("user").f
    assert len(folder.changes(f, user=f"FLAG = True\n{new}")) >= 1


# ---- kinds of objects


CLASSES = """
    import functools

    class Base:
        def step(self):
            return 1

    class Trainer(Base):
        rate: float = 0.1

        def __init__(self, size=3):
            self.size = size

        def fit(self):
            return self.step()

        @classmethod
        def default(cls):
            return cls()

        @staticmethod
        def loss(x):
            return x

        @property
        def width(self):
            return 2 * self.size

    def decorate(f):
        @functools.wraps(f)
        def wrapper(*args):
            return f(*args)
        return wrapper

    def hide(f):
        def wrapper(*args):
            return f(*args)
        return wrapper

    @functools.lru_cache
    def cached():
        return 1

    def plain(x=None):
        return 2

    @functools.singledispatch
    def shape(x):
        return 0

    @shape.register
    def _(x: int):
        return 1

    small = lambda x: x + 1

    def outer():
        def inner():
            return small(1)
        return inner
    """
PARTS = {"models:Base", "models:Base.step", "models:Trainer"} | {
    f"models:Trainer.{each}" for each in ("__init__", "fit", "default", "loss", "width")
}


@pytest.mark.parametrize(
    ("take", "name", "expected"),
    [
        (lambda m: m.Trainer, "models.Trainer", PARTS),
        (lambda m: m.Trainer(), "models.Trainer", PARTS),
        (lambda m: m.Trainer.fit, "models.Trainer.fit", PARTS),
        (lambda m: m.Trainer().fit, "models.Trainer.fit", PARTS),
        (lambda m: m.Trainer().step, "models.Trainer.step", PARTS),
        (lambda m: m.Trainer.default, "models.Trainer.default", PARTS),
        (lambda m: m.Trainer.loss, "models.Trainer.loss", PARTS),
        (lambda m: vars(m.Trainer)["width"], "models.Trainer.width", PARTS),
        (lambda m: m.cached, "models.cached", {"models:cached"}),
        (lambda m: functools.partial(m.plain, x=1), "models.plain", {"models:plain"}),
        (lambda m: functools.partial(m.plain, m.cached), "models.plain", {"models:plain"}),
        (lambda m: functools.partial(m.plain, m.small), "models.plain", {"models:plain", "models:small"}),
        (lambda m: m.decorate(m.plain), "models.plain", {"models:decorate", "models:plain"}),
        (lambda m: m.hide(m.plain), "models.hide", {"models:hide", "models:plain"}),
        (lambda m: m.small, "models.small", {"models:small"}),
        (lambda m: m.outer(), "models.outer", {"models:outer", "models:small"}),
        (lambda m: m.shape, "models.shape", {"models:shape", "models:_"}),
    ],
)
def test_kinds_of_objects(folder, take, name, expected):
    obj = take(folder.write(models=CLASSES).load("models"))
    assert folder.graph.name(obj) == name
    assert set(folder.names(obj)) == expected


def test_a_module_is_all_that_is_in_it(shop):
    helpers = shop.load("shop.helpers")
    assert shop.graph.name(helpers) == "shop.helpers"
    assert shop.names(helpers) == [
        "shop.helpers:THRESHOLD",
        "shop.helpers:UNRELATED",
        "shop.helpers:scale",
        "shop.helpers:unrelated",
    ]


def test_a_package_is_all_its_files(shop):
    package = shop.load("shop")
    assert shop.graph.name(package) == "shop"
    assert {"shop.train:predict", "shop.helpers:unrelated"} <= set(shop.names(package))


def test_names_of_test_modules_do_not_depend_on_the_import_mode(folder):
    folder.write(tests__in__unit__in__test_net="def train(): return 1")
    for name in ("test_net", "tests.unit.test_net", "odd-name"):
        train = folder.load_file("tests/unit/test_net.py", name).train
        assert folder.graph.name(train) == "tests.unit.test_net.train"
        assert folder.names(train) == ["tests.unit.test_net:train"]


def test_helpers_beside_a_test_file_are_found_without_a_search_path(folder, monkeypatch):
    folder.write(
        tests__in__helpers_beside="def f(): return 1",
        helpers_at_root="def g(): return 1",
        tests__in__test_net="def train():\n  import helpers_beside, helpers_at_root\n"
        "  return helpers_beside.f() + helpers_at_root.g()",
    )
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each != str(folder.root)])
    train = folder.load_file("tests/test_net.py", "test_net").train
    assert folder.names(train) == ["helpers_at_root:g", "tests.helpers_beside:f", "tests.test_net:train"]


def test_a_project_may_shadow_a_module_of_the_standard_library(folder, monkeypatch):
    monkeypatch.delitem(sys.modules, "sched", raising=False)
    folder.write(sched="def f(): return 1", user="import sched\ndef g(): return sched.f()")
    assert folder.names(folder.load("user").g) == ["sched:f", "user:g"]


def test_asserts_rewritten_by_pytest_do_not_matter():
    graph = CodeGraph(_root())
    name = graph.name(test_asserts_rewritten_by_pytest_do_not_matter)
    assert name == "tests.codegraph.test_graph.test_asserts_rewritten_by_pytest_do_not_matter"


# ---- what cannot be read


@pytest.mark.parametrize(
    "obj",
    [len, 3, "text", np.sin, LogisticRegression, LogisticRegression(), np, os.path.join, dict, functools],
    ids=lambda obj: getattr(obj, "__name__", None) or type(obj).__name__,
)
def test_code_of_others_is_refused_with_a_remedy(shop, obj):
    with pytest.raises(RecordingError) as caught:
        shop.graph.definitions(obj)
    assert "libraries" in caught.value.remedy


def test_code_without_a_file_is_refused(shop):
    made = {}
    exec("def f(): pass\ng = lambda: 0\nclass A: pass", made)
    for obj in (made["f"], made["g"], made["A"], eval("lambda: 0")):
        with pytest.raises(RecordingError, match="no source in a file"):
            shop.graph.definitions(obj)


def test_a_broken_file_on_the_way_is_named_with_its_line(shop):
    fit = shop.load("shop.train").fit
    shop.write(shop__in__helpers="x = 1\ndef broken(:\n")
    with pytest.raises(RecordingError) as caught:
        shop.graph.definitions(fit)
    assert caught.value.where == "shop/helpers.py:2"
    assert caught.value.remedy


def test_an_undecodable_file_on_the_way_is_named(shop):
    fit = shop.load("shop.train").fit
    (shop.root / "shop/helpers.py").write_bytes(b"x = '\xff\xfe'\n")
    with pytest.raises(RecordingError) as caught:
        shop.graph.definitions(fit)
    assert caught.value.where.startswith("shop/helpers.py")


def test_doubtful_escapes_are_not_our_business(folder):
    (folder.root / "odd.py").write_text("def f(): return '\\d'\n", encoding="utf-8")
    spec = importlib.util.spec_from_loader("odd", loader=None)
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(folder.root / "odd.py")
    assert folder.names(module) == ["odd:f"]


def test_an_expression_nested_too_deeply_is_said(folder):
    folder.write(deep="x = " + "+".join(["1"] * 3000))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("deep", loader=None))
    module.__file__ = str(folder.root / "deep.py")
    with pytest.raises(RecordingError, match="nested too deeply"):
        folder.graph.definitions(module)


# ---- imports of others


def test_external_imports_are_followed_through_the_project(shop):
    shop.write(
        test_all="""
        import os
        import pandas as pd
        import scipy.stats
        import sklearn.linear_model as lm
        from sklearn import metrics
        from sklearn.metrics import f1_score
        from typing import TYPE_CHECKING
        from shop import train
        import not_installed.at_all
        if TYPE_CHECKING:
            import torch
        def test():
            if TYPE_CHECKING:
                import jax
            import pytest
            xp = pytest.importorskip("hypothesis.extra.numpy")
            import importlib
            importlib.import_module("blake3")
            importlib.import_module(xp)
        """
    )
    assert shop.graph.external_imports([shop.root / "test_all.py"]) == {
        "pandas",
        "scipy.stats",
        "sklearn.linear_model",
        "sklearn.metrics",
        "numpy",
        "not_installed.at_all",
        "pytest",
        "hypothesis.extra.numpy",
        "blake3",
    }


def test_external_imports_of_the_packages_around_a_file_count(folder):
    folder.write(tests__in____init__="import numpy.random", tests__in__test_a="")
    assert folder.graph.external_imports([folder.root / "tests/test_a.py"]) == {"numpy.random"}


def test_external_imports_of_relative_imports_count(folder):
    folder.write(
        pack__in____init__="",
        pack__in__sub__in____init__="from .. import top",
        pack__in__top="import joblib",
        user="def f():\n  from pack.sub import anything",
    )
    assert folder.graph.external_imports([folder.root / "user.py"]) == {"joblib"}


# ---- the cache


def test_files_are_parsed_once_and_again_when_they_changed(shop, monkeypatch):
    from pytest_mlrepro.codegraph import sources

    parsed = []
    read = sources.read_module
    monkeypatch.setattr(
        sources, "read_module", lambda path, *rest: (parsed.append(path.name), read(path, *rest))[1]
    )
    train = shop.load("shop.train")
    shop.graph.definitions(train.fit)
    shop.graph.definitions(train.fit)
    shop.graph.definitions(train.predict)
    assert sorted(parsed) == ["__init__.py", "helpers.py", "train.py"]
    shop.write(shop__in__helpers=HELPERS + "# more\n")
    shop.graph.definitions(train.fit)
    assert parsed[3:] == ["helpers.py"]


def _root():
    from pathlib import Path

    return Path(__file__).parents[2]


MATCHING = """
    LIMIT: int
    USED: int = 3
    WHOLE: int = 4
    REST: dict = {}

    def take(found):
        match found:
            case [first, *USED]:
                return USED
            case {"a": 1, **REST}:
                return REST, LIMIT
            case int() as WHOLE:
                return WHOLE
    """


def test_names_that_a_pattern_binds_are_local_and_a_bare_annotation_is_no_value(folder):
    folder.write(shop__in__matching=MATCHING)
    module = folder.load("shop.matching")
    assert folder.names(module.take) == ["shop.matching:take"]


def test_members_of_every_kind_lead_to_their_functions(folder):
    folder.write(
        shop__in__members="""
        import functools

        def inner(self):
            return 1

        class Model:
            first = staticmethod(inner)
            second = property(inner)
            third = functools.cached_property(inner)
            fourth = functools.partialmethod(inner)
        """
    )
    module = folder.load("shop.members")
    kept = vars(module.Model)
    for name in ("first", "second", "third", "fourth"):
        assert folder.names(kept[name]) == ["shop.members:inner"], name
