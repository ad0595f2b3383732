import importlib.util
import sys
import types
import zipfile

import pytest

from pytest_mlrepro.environment.places import is_projects
from pytest_mlrepro.environment.strays import is_stray, told_version


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module into a folder of the import path."""

    def write(name, text="", folder="lib"):
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(str(place))
        return place

    yield write
    for name in [name for name in sys.modules if name.startswith("toystray")]:
        del sys.modules[name]


def test_a_module_beside_the_project_is_a_stray_imported_or_not(module, tmp_path):
    module("toystray")
    assert is_stray("toystray", tmp_path / "project")
    assert "toystray" not in sys.modules
    __import__("toystray")
    assert is_stray("toystray", tmp_path / "project")
    assert is_stray("toystray", None)


def test_the_projects_own_is_none(module, tmp_path):
    module("toystray")
    assert not is_stray("toystray", tmp_path.resolve())


def test_what_lies_in_an_environment_inside_the_project_is_not_the_projects(module, tmp_path):
    module("toystray", folder=".venv/lib/python3.11/site-packages")
    assert is_stray("toystray", tmp_path.resolve())
    root = tmp_path.resolve()
    assert not is_projects(root / ".venv/lib/site-packages/x.py", root)
    assert is_projects(root / "x.py", root)
    assert not is_projects(root.parent / "x.py", root)


@pytest.mark.parametrize("name", ["json", "_sysconfigdata", "__main__", "no_such_module", "pdb"])
def test_pythons_own_and_what_is_not_there_are_none(name):
    assert not is_stray(name, None)


def test_the_table_of_build_variables_is_pythons_own():
    name = next((name for name in sys.modules if name.startswith("_sysconfigdata")), None)
    if name is None:
        import sysconfig

        sysconfig.get_config_vars()
        name = next((name for name in sys.modules if name.startswith("_sysconfigdata")), "json")
    assert not is_stray(name, None)


def test_a_module_of_a_zipped_application_without_metadata(tmp_path, monkeypatch):
    archive = tmp_path / "app.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("toystrayzip.py", "__version__ = '1.2'\n")
    monkeypatch.syspath_prepend(str(archive))
    __import__("toystrayzip")
    assert is_stray("toystrayzip", tmp_path / "project")
    assert told_version("toystrayzip") == "1.2"
    del sys.modules["toystrayzip"]


def test_a_module_of_a_frozen_application(monkeypatch):
    # Python itself holds this one, frozen into the interpreter.
    import __hello__

    monkeypatch.setitem(sys.modules, "toystrayfrozen", __hello__)
    assert __hello__.__spec__.origin == "frozen"
    assert is_stray("toystrayfrozen", None)
    made = types.ModuleType("toystraymade")
    monkeypatch.setitem(sys.modules, "toystraymade", made)
    assert not is_stray("toystraymade", None)


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ("'1.2.3'", "1.2.3"),
        ("'2.4.0.dev0+git1a2b'", "2.4.0.dev0+git1a2b"),
        ("'/home/alice/lib'", ""),
        ("'1 of alice'", ""),
        ("'1' * 99", ""),
        ("(1, 2)", ""),
        ("None", ""),
    ],
)
def test_a_version_is_only_what_looks_like_one(module, told, version):
    module("toystray", f"__version__ = {told}\n")
    __import__("toystray")
    assert told_version("toystray") == version
    assert told_version("no_such_module") == ""


def test_a_module_whose_loading_was_put_off_is_not_loaded_to_ask_it(module):
    module("toystray", "raise SystemExit('loaded')\n")
    spec = importlib.util.find_spec("toystray")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = sys.modules["toystray"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lazy)
    assert is_stray("toystray", None)
    assert told_version("toystray") == ""


@pytest.mark.parametrize("spec", [None, "spec", types.SimpleNamespace(origin=1)])
def test_what_a_test_puts_in_the_place_of_a_module_is_none(monkeypatch, spec):
    fake = types.ModuleType("toystrayfake")
    fake.__spec__ = spec
    for each in (fake, types.SimpleNamespace(__spec__=spec), object(), None):
        monkeypatch.setitem(sys.modules, "toystrayfake", each)
        assert not is_stray("toystrayfake", None)
        assert told_version("toystrayfake") == ""


def test_no_code_of_the_module_is_run_to_ask_it(module):
    module("toystray", "def __getattr__(name):\n    raise SystemExit(name)\n")
    __import__("toystray")
    assert told_version("toystray") == ""
