"""The import watch: reports imports, and nobody can tell that it is there."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import traceback
import zipfile
from contextlib import contextmanager
from importlib.machinery import FrozenImporter, SourceFileLoader

import pytest

from pytest_mlrepro.seeding.watch import ImportWatch

LIBRARY = "mlr_fake_library"
BODY = """
seen = (type(__spec__.loader), __loader__ is __spec__.loader)
VALUE = 1
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A module on the path that nobody has imported yet."""
    path = tmp_path / f"{LIBRARY}.py"
    path.write_text(BODY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, LIBRARY, raising=False)
    yield path
    for name in [name for name in sys.modules if name.partition(".")[0] == LIBRARY]:
        del sys.modules[name]


@pytest.fixture
def reports():
    return []


def reporting(reports):
    @contextmanager
    def around(name, outermost):
        yield
        reports.append(name)

    return around


@pytest.fixture
def watch(reports):
    watch = ImportWatch({LIBRARY, f"{LIBRARY}.part", "__hello__"}, reporting(reports), again=print)
    watch.arm()
    yield watch
    watch.disarm()


def test_in_the_path_only_while_armed(reports):
    before = list(sys.meta_path)
    watch = ImportWatch({LIBRARY}, reporting(reports), again=print)
    assert sys.meta_path == before
    watch.arm()
    watch.arm()
    assert sys.meta_path == [watch, *before]
    watch.disarm()
    watch.disarm()
    assert sys.meta_path == before


def test_the_body_runs_within_the_context_once(library):
    seen = []

    @contextmanager
    def around(name, outermost):
        seen.append((name, outermost, hasattr(sys.modules[name], "VALUE")))
        yield
        seen.append(sys.modules[name].VALUE)

    watch = ImportWatch({LIBRARY}, around, again=print)
    watch.arm()
    try:
        importlib.import_module(LIBRARY)
        importlib.import_module(LIBRARY)
    finally:
        watch.disarm()
    assert seen == [(LIBRARY, True, False), 1]


def test_the_module_looks_as_without_a_watch(library, watch, reports):
    module = importlib.import_module(LIBRARY)
    assert module.seen == (SourceFileLoader, True)
    assert type(module.__spec__.loader) is type(module.__loader__) is SourceFileLoader
    assert module.__file__ == str(library)
    assert module.__spec__.cached
    assert reports == [LIBRARY]


def test_looking_for_the_spec_is_no_import(library, watch, reports):
    spec = importlib.util.find_spec(LIBRARY)
    assert isinstance(spec.loader, SourceFileLoader)
    assert spec.loader.get_filename() == spec.origin == str(library)
    assert "SourceFileLoader" in repr(spec)
    assert LIBRARY not in sys.modules
    assert reports == []
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.seen == (SourceFileLoader, True)


def test_of_other_modules_only_the_outermost_imports(library, reports):
    seen = []

    @contextmanager
    def around(name, outermost):
        seen.append((name, outermost))
        yield

    (library.parent / "mlr_fake_inner.py").write_text("import mlr_fake_part\n", encoding="utf-8")
    (library.parent / "mlr_fake_part.py").write_text("", encoding="utf-8")
    library.write_text("import mlr_fake_inner\n", encoding="utf-8")
    watch = ImportWatch({"mlr_fake_part"}, around, again=print)
    watch.arm()
    try:
        importlib.import_module(LIBRARY)
        for name in ("mlr_fake_inner", "mlr_fake_part"):
            del sys.modules[name]
        importlib.import_module("mlr_fake_inner")
    finally:
        watch.disarm()
        for name in ("mlr_fake_inner", "mlr_fake_part"):
            del sys.modules[name]
    part = ("mlr_fake_part", False)
    assert seen == [(LIBRARY, True), part, ("mlr_fake_inner", True), part]


def test_an_import_after_one_that_failed_is_an_outermost_one_again(library, watch, reports):
    library.write_text("raise OSError('no device')", encoding="utf-8")
    with pytest.raises(OSError, match="no device"):
        importlib.import_module(LIBRARY)
    (library.parent / f"{LIBRARY}_other.py").write_text("", encoding="utf-8")
    importlib.import_module(f"{LIBRARY}_other")
    del sys.modules[f"{LIBRARY}_other"]
    assert reports == [f"{LIBRARY}_other"]


def test_other_threads_only_where_named(library, watch, reports):
    (library.parent / "mlr_fake_elsewhere.py").write_text(f"import {LIBRARY}", encoding="utf-8")
    thread = threading.Thread(target=importlib.import_module, args=("mlr_fake_elsewhere",))
    thread.start()
    thread.join(10)
    del sys.modules["mlr_fake_elsewhere"]
    assert reports == [LIBRARY]


def test_a_warning_in_the_body_is_said_at_the_import(library, watch, reports):
    library.write_text(
        "import warnings\nwarnings.warn('old', DeprecationWarning, stacklevel=2)\n", encoding="utf-8"
    )
    with pytest.warns(DeprecationWarning, match="old") as caught:
        import mlr_fake_library  # noqa: F401
    assert [warning.filename for warning in caught] == [__file__]
    assert reports == [LIBRARY]


def test_the_traceback_of_a_failing_import_is_as_ever(library, watch):
    library.write_text("import mlr_fake_nowhere", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError) as error:
        import mlr_fake_library  # noqa: F401
    files = [frame.filename for frame in traceback.extract_tb(error.value.__traceback__)]
    assert files == [__file__, str(library)]


def test_a_missing_library_is_missing_as_ever(watch, reports):
    with pytest.raises(ModuleNotFoundError, match=f"No module named '{LIBRARY}'") as error:
        importlib.import_module(LIBRARY)
    assert error.value.name == LIBRARY
    assert importlib.util.find_spec(LIBRARY) is None
    assert reports == []


def test_a_failing_import_fails_as_ever_and_can_be_tried_again(library, watch, reports):
    library.write_text("raise OSError('no device')", encoding="utf-8")
    with pytest.raises(OSError, match="no device"):
        importlib.import_module(LIBRARY)
    assert LIBRARY not in sys.modules
    assert reports == []
    library.write_text(BODY + "# longer than before", encoding="utf-8")
    assert importlib.import_module(LIBRARY).VALUE == 1
    assert reports == [LIBRARY]


def test_reload_is_reported_and_keeps_the_module(library, watch, reports):
    module = importlib.import_module(LIBRARY)
    module.VALUE = 2
    assert importlib.reload(module) is module
    assert module.VALUE == 1
    assert module.seen == (SourceFileLoader, True)
    assert reports == [LIBRARY, LIBRARY]


def test_parts_of_a_package_imported_on_first_use(library, watch, reports):
    package = library.with_suffix("")
    library.unlink()
    package.mkdir()
    (package / "__init__.py").write_text(
        "def __getattr__(name):\n"
        "    import importlib\n"
        f"    return importlib.import_module(f'{LIBRARY}.{{name}}')\n",
        encoding="utf-8",
    )
    (package / "part.py").write_text(BODY, encoding="utf-8")
    (package / "other.py").write_text("", encoding="utf-8")
    module = importlib.import_module(LIBRARY)
    assert module.other.__name__ == f"{LIBRARY}.other"
    assert reports == [LIBRARY, f"{LIBRARY}.other"]
    assert module.part.seen == (SourceFileLoader, True)
    assert reports == [LIBRARY, f"{LIBRARY}.other", f"{LIBRARY}.part"]


def test_lazy_loader_is_reported_when_it_loads(library, watch, reports):
    spec = importlib.util.find_spec(LIBRARY)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[LIBRARY] = module
    spec.loader.exec_module(module)
    assert reports == []
    assert module.seen == (SourceFileLoader, True)
    assert reports == [LIBRARY]


def test_a_folder_without_code_is_a_package_as_ever(library, watch):
    library.unlink()
    library.with_suffix("").mkdir()
    module = importlib.import_module(LIBRARY)
    assert type(module.__loader__).__name__ == "NamespaceLoader"
    assert list(module.__path__) == [str(library.with_suffix(""))]


def test_a_loader_that_is_a_class(watch, reports, monkeypatch):
    monkeypatch.delitem(sys.modules, "__hello__", raising=False)
    module = importlib.import_module("__hello__")
    assert module.__spec__.loader is module.__loader__ is FrozenImporter
    assert reports == ["__hello__"]


def test_out_of_a_zip_file(tmp_path, watch, reports, monkeypatch):
    with zipfile.ZipFile(tmp_path / "library.zip", "w") as archive:
        archive.writestr(f"{LIBRARY}.py", BODY)
    monkeypatch.syspath_prepend(tmp_path / "library.zip")
    try:
        module = importlib.import_module(LIBRARY)
        assert module.seen[1]
        assert type(module.__loader__).__name__ == "zipimporter"
        assert reports == [LIBRARY]
    finally:
        sys.modules.pop(LIBRARY, None)


def test_assertions_are_still_rewritten(tmp_path, reports, monkeypatch):
    name = "mlr_fake_rewritten"
    (tmp_path / f"{name}.py").write_text("def check(value):\n    assert value == 2\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    pytest.register_assert_rewrite(name)
    watch = ImportWatch({name}, reporting(reports), again=print)
    watch.arm()
    try:
        module = importlib.import_module(name)
        with pytest.raises(AssertionError, match="assert 1 == 2"):
            module.check(1)
    finally:
        watch.disarm()
        sys.modules.pop(name, None)
    assert reports == [name]


def test_a_module_that_replaces_itself(library, watch, reports):
    library.write_text(
        "import sys, types\nsys.modules[__name__] = types.SimpleNamespace(VALUE=3)\n", encoding="utf-8"
    )
    assert importlib.import_module(LIBRARY).VALUE == 3
    assert reports == [LIBRARY]


def test_many_threads_import_at_once(library, watch, reports):
    library.write_text("import time\ntime.sleep(0.05)\nVALUE = 1\n", encoding="utf-8")
    values = []
    threads = [
        threading.Thread(target=lambda: values.append(importlib.import_module(LIBRARY).VALUE))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert values == [1] * 8
    assert reports == [LIBRARY]


def test_two_watches_at_once(library, watch, reports):
    others = []
    second = ImportWatch({LIBRARY}, reporting(others), again=print)
    second.arm()
    try:
        assert importlib.import_module(LIBRARY).seen == (SourceFileLoader, True)
    finally:
        second.disarm()
    assert (reports, others) == ([LIBRARY], [LIBRARY])


def test_disarmed_in_the_middle_of_an_import(library, watch, reports):
    sys.modules["mlr_watch_in_hand"] = watch
    try:
        library.write_text("import mlr_watch_in_hand as watch\nwatch.disarm()\n", encoding="utf-8")
        importlib.import_module(LIBRARY)
        assert watch not in sys.meta_path
    finally:
        del sys.modules["mlr_watch_in_hand"]


def test_a_spec_from_before_it_was_disarmed_loads_without_it(library, watch, reports):
    spec = importlib.util.find_spec(LIBRARY)
    watch.disarm()
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.seen == (SourceFileLoader, True)
    assert reports == []


def test_silent_where_it_was_left_behind_in_another_path(library, watch, reports, monkeypatch):
    # A test that swaps the list gets the old one back after the watch was disarmed.
    with monkeypatch.context() as patch:
        patch.setattr(sys, "meta_path", sys.meta_path[1:])
        watch.disarm()
    assert watch in sys.meta_path
    importlib.import_module(LIBRARY)
    assert reports == []
    watch.arm()
    assert sys.meta_path.count(watch) == 1


def test_a_finder_that_gives_one_spec_again_and_again(library, watch, reports):
    class Finder:
        spec = importlib.util.spec_from_file_location(LIBRARY, library)

        def find_spec(self, name, path=None, target=None):
            return self.spec if name == LIBRARY else None

    finder = Finder()
    sys.meta_path.insert(1, finder)
    try:
        importlib.util.find_spec(LIBRARY)
        importlib.util.find_spec(LIBRARY)
        assert importlib.import_module(LIBRARY).seen == (SourceFileLoader, True)
    finally:
        sys.meta_path.remove(finder)
    assert reports == [LIBRARY]
