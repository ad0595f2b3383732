import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlrepro.environment.distributions import Distributions
from pytest_mlrepro.environment.installed import _top_level


def names(providers):
    return [each.name for each in providers]


def read(*sites):
    return Distributions.read([str(site.folder) for site in sites])


def test_a_module_need_not_be_called_like_its_distribution():
    installed = Distributions.read()
    assert names(installed.providers("sklearn.ensemble")) == ["scikit-learn"]
    assert names(installed.providers("dateutil")) == ["python-dateutil"]


def test_it_agrees_with_the_standard_library_on_everything_installed_here():
    installed = Distributions.read()
    for module, expected in packages_distributions().items():
        if module.isidentifier() and not module.startswith("__editable__"):
            known = set(names(installed.providers(module)))
            assert known <= {installed.get(name).name for name in expected}, module
            assert known or len(expected) > 1 or module in sys.stdlib_module_names, module


NAMES = st.sampled_from(
    ["numpy", "numpy.libs", "six.py", "_c.so", "__pycache__", "a b", '"x', "", "é.py", "six", ".."]
)
LINES = st.tuples(
    st.lists(NAMES, min_size=1, max_size=3), st.sampled_from(["", ",sha256=x/y,3", ",,", ","])
).map(lambda parts: "/".join(parts[0]) + parts[1])


@given(st.lists(LINES | st.just(""), max_size=8), st.booleans())
def test_the_modules_of_a_record_are_those_of_its_lines(lines, is_ended):
    modules = set()
    for line in lines:
        first = line.partition("/")[0]
        name, comma, _ = first.partition(",")
        found = re.fullmatch(r"(\w+)(\.(py|so))?" if comma else r"(\w+)()", name)
        if found and (found[2] or not comma) and found[1].isidentifier() and found[1] != "__pycache__":
            modules.add(found[1])
    assert {*_top_level("\n".join(lines) + "\n" * is_ended)} == modules


@pytest.mark.parametrize("module", ["os.path", "json", "no_such_module.at_all", ""])
def test_what_nobody_installed_has_no_provider(module):
    assert Distributions.read().providers(module) == ()


def test_the_standard_library_goes_before_a_backport_of_it(site):
    site.install("enum_backport", "1", ["enum/__init__.py"])
    assert read(site).providers("enum") == ()


def test_a_namespace_package_is_decided_by_the_part_that_one_distribution_owns(site):
    site.install("cloud_storage", "1", ["cloud/storage/__init__.py", "cloud/storage/client.py"])
    site.install("cloud_query", "1", ["cloud/query/__init__.py", "cloud/single.py"])
    installed = read(site)
    assert names(installed.providers("cloud.storage.client")) == ["cloud-storage"]
    assert names(installed.providers("cloud.storage.client.Client")) == ["cloud-storage"]
    assert names(installed.providers("cloud.single")) == ["cloud-query"]
    assert names(installed.providers("cloud")) == []


def test_two_builds_of_one_library_both_provide_it(site):
    site.install("vision", "1", ["cv/__init__.py", "cv/core.abi3.so"])
    site.install("vision_headless", "2", ["cv/__init__.py", "cv/core.abi3.so"])
    assert names(read(site).providers("cv.core")) == ["vision", "vision-headless"]


def test_a_single_extension_module_is_found(site):
    site.install("fast", "1", ["_fast.cpython-311-x86_64-linux-gnu.so", "fast.py"])
    assert names(read(site).providers("_fast")) == ["fast"]


def test_the_first_on_the_path_wins(site, tmp_path):
    other = type(site)(tmp_path / "other")
    other.folder.mkdir()
    site.install("lib", "1.0", ["lib.py"])
    other.install("lib", "2.0", ["lib.py"])
    assert read(site, other).get("lib").version == "1.0"
    assert read(other, site).get("lib").version == "2.0"


def test_in_one_folder_the_newer_one_wins_however_the_folder_is_listed(site):
    for version in ("1.9", "1.10", "1.2"):
        site.install("lib", version, ["lib.py"])
    assert read(site).get("lib").version == "1.10"


def test_one_that_is_installed_twice_is_in_doubt(site, tmp_path):
    other = type(site)(tmp_path / "other")
    other.folder.mkdir()
    site.install("lib", "1.0", ["lib.py"])
    site.install("once", "1.0", ["once.py"])
    other.install("lib", "2.0", ["lib.py"])
    other.install("lib", "3.0", ["lib.py"])
    installed = read(site, other)
    assert installed.doubt(installed.get("lib")) == "installed more than once, also as 2.0, 3.0"
    assert installed.doubt(installed.get("once")) == ""


def test_a_folder_that_is_on_the_path_under_two_names_is_no_doubt(site, tmp_path):
    site.install("lib", "1.0", ["lib.py"])
    (tmp_path / "lib64").symlink_to(site.folder)
    installed = Distributions.read([str(site.folder), str(tmp_path / "lib64")])
    assert installed.doubt(installed.get("lib")) == ""


@pytest.fixture
def imported(monkeypatch):
    """Import a module from a folder put first on the path, and forget it afterwards."""
    names = []

    def load(name, *folders):
        for folder in reversed(folders):
            monkeypatch.syspath_prepend(str(folder))
        names.append(name)
        return importlib.import_module(name)

    yield load
    for name in names:
        sys.modules.pop(name, None)


def test_a_copy_that_hides_the_installed_one_is_seen(site, tmp_path, imported):
    site.install("Tiny_Lib", "1.0", ["tinylib.py"])
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "tinylib.py").write_text("__version__ = '0.9'\n")
    installed = read(site)
    assert not installed.is_elsewhere(installed.get("tiny-lib"))
    imported("tinylib", tmp_path / "vendor", site.folder)
    assert installed.is_elsewhere(installed.get("tiny-lib"))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_copy_that_another_distribution_brings_goes_with_that_one(site, tmp_path, imported, when):
    system = type(site)(tmp_path / "system")
    system.install("tinyray", "1.0", ["tinyray/__init__.py", "tinyray/others/tinyps/__init__.py"])
    site.install("tinyps", "2.0", ["tinyps/__init__.py"])
    copies = system.folder / "tinyray" / "others"
    folders = [str(site.folder), str(system.folder)]
    installed = Distributions.read(folders if when == "before" else [str(copies), *folders])
    imported("tinyps", copies, site.folder)
    assert not installed.is_elsewhere(installed.get("tinyps"))


def test_of_two_versions_the_imported_one_counts_wherever_the_path_leads_now(site, tmp_path, imported):
    other = type(site)(tmp_path / "other")
    site.install("tinyps", "2.0", ["tinyps.py"])
    other.install("tinyps", "1.0", ["tinyps.py"])
    installed = read(other, site)
    assert installed.running("tinyps").version == "1.0"
    imported("tinyps", site.folder)
    running = installed.running("TinyPS")
    assert running.version == "2.0"
    assert installed.doubt(running) == "installed more than once, also as 1.0"
    assert installed.running("absent") is None


def test_a_module_that_others_have_too_says_nothing_of_a_distribution(site, tmp_path, imported):
    site.install("tinyone", "1.0", ["tinyone.py", "tinytests/__init__.py"])
    site.install("tinytwo", "1.0", ["tinytwo.py", "tinytests/__init__.py"])
    site.install("tinythree", "1.0", ["tinythree.py", "owntests/__init__.py"])
    for name in ("tinytests", "owntests"):
        (tmp_path / "project" / name).mkdir(parents=True)
        (tmp_path / "project" / name / "__init__.py").write_text("")
        imported(name, tmp_path / "project")
    installed = read(site)
    root = (tmp_path / "project").resolve()
    assert not any(installed.is_elsewhere(installed.get(name)) for name in ("tinyone", "tinytwo"))
    assert not installed.is_elsewhere(installed.get("tinythree"), root)
    assert installed.is_elsewhere(installed.get("tinythree"))


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_files_that_an_installer_linked_from_its_cache_are_in_place(site, tmp_path, imported):
    site.install("tinylink", "1.0", ["tinylink.py"])
    (tmp_path / "cache.py").write_text("")
    (site.folder / "tinylink.py").unlink()
    (site.folder / "tinylink.py").symlink_to(tmp_path / "cache.py")
    imported("tinylink", site.folder)
    installed = read(site)
    assert not installed.is_elsewhere(installed.get("tinylink"))


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_a_folder_of_packages_may_itself_be_a_link(site, tmp_path, imported):
    site.install("tinyfolder", "1.0", ["tinyfolder.py"])
    (tmp_path / "linked").symlink_to(site.folder)
    imported("tinyfolder", tmp_path / "linked")
    installed = read(site)
    assert not installed.is_elsewhere(installed.get("tinyfolder"))


def test_a_namespace_with_a_part_elsewhere_is_in_place(site, tmp_path, imported):
    site.install("tinyns_a", "1.0", ["tinyns/a/__init__.py"])
    (tmp_path / "more" / "tinyns").mkdir(parents=True)
    (tmp_path / "more" / "tinyns" / "b.py").write_text("")
    imported("tinyns", tmp_path / "more", site.folder)
    installed = read(site)
    assert not installed.is_elsewhere(installed.get("tinyns-a"))


def test_an_editable_installation_is_in_place(site, tmp_path, imported):
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "tinyedit.py").write_text("")
    about = {"url": project.as_uri(), "dir_info": {"editable": True}}
    site.install("tinyedit", "0.1", ["_tinyedit.pth"], about=about, top_level_txt="tinyedit\n")
    imported("tinyedit", project / "src")
    installed = read(site)
    assert not installed.is_elsewhere(installed.get("tinyedit"))


def test_a_module_of_a_zipped_application_is_in_place(site, tmp_path, imported):
    site.install("tinyzip", "3.1", ["tinyzip/__init__.py"])
    archive = tmp_path / "app.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for path in site.folder.rglob("*"):
            target.write(path, path.relative_to(site.folder))
    imported("tinyzip", archive)
    installed = Distributions.read([str(archive)])
    assert not installed.is_elsewhere(installed.get("tinyzip"))
    assert installed.get("tinyzip").version == "3.1"


IN_PLACE = """
import numpy, pytest, sys
from pytest_mlrepro.environment.distributions import Distributions
from pytest_mlrepro.environment.installed import _top_level
installed = Distributions.read()
assert any(installed.is_loaded(each, sys.modules) for each in installed.by_name.values())
print([each.name for each in installed.by_name.values() if installed.is_elsewhere(each)])
"""


def test_what_is_imported_is_in_place():
    # Not in this process: other tests import libraries that bring copies of others, and put these first.
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", IN_PLACE], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_remains_of_an_uninstallation_do_not_hide_the_real_one(site, tmp_path):
    other = type(site)(tmp_path / "other")
    (other.folder / "lib-9.0.dist-info").mkdir(parents=True)
    (other.folder / "~ib-8.0.dist-info").mkdir()
    site.install("lib", "1.0", ["lib.py"])
    installed = read(other, site)
    assert installed.get("lib").version == "1.0"
    assert set(installed.by_name) == {"lib"}


def test_broken_metadata_is_unknown_and_no_crash(site):
    (site.folder / "empty-1.0.dist-info").mkdir()
    latin = site.install("latin", "1.0", ["latin.py"])
    (latin / "METADATA").write_bytes(b"Name: latin\nVersion: \xff\n")
    direct = site.install("direct", "1.0", ["direct.py"])
    (direct / "direct_url.json").write_text("{broken")
    (direct / "entry_points.txt").write_text("no section\n= =\n")
    needs = site.install("needs", "1.0", ["needs.py"], requires=["!!!", "latin ; nonsense", "empty"])
    assert needs.exists()
    installed = read(site)
    assert installed.get("empty").version == "unknown"
    assert installed.get("empty").modules == frozenset()
    assert installed.get("latin").version == "unknown"
    assert names(installed.providers("latin")) == ["latin"]
    assert installed.get("direct").origin.text == ""
    assert not installed.get("direct").is_plugin_of_pytest
    assert installed.get("needs").requires == {"empty"}


LINES = st.lists(
    st.sampled_from(
        [
            "Metadata-Version: 2.1",
            "Name: fuzzed",
            "Version: 1.0",
            "Requires-Dist: json",
            "Requires-Dist: a ; os_name ~= 'x'",
            "Requires-Dist: a ; platform_release >= '20.9.0'",
            "Requires-Dist: a ; extra == 'x' or python_version ~= 'abc'",
            "[pytest11]",
            "[extra:",
            "a = b:c",
            "fuzzed.py,sha256=x,1",
            "fuzzed/__init__.py,,",
            "../../../etc/passwd,,",
            ",,",
            "/",
            '{"url": 1, "vcs_info": {"vcs": [], "commit_id": null}}',
            '{"url": "file://[", "dir_info": {"editable": true}}',
            '{"url": "file:///%00", "dir_info": {"editable": true}}',
            '{"url": "file:///x", "archive_info": {"hashes": {"sha256": 1}}}',
            "[" * 100_000,
        ]
    )
    | st.text(max_size=20),
    max_size=6,
)
FUZZED = ("METADATA", "RECORD", "entry_points.txt", "direct_url.json", "top_level.txt", "INSTALLER")


@pytest.mark.parametrize("kind", ["dist-info", "egg-info"])
@given(
    contents=st.lists(LINES.map("\n".join).map(str.encode) | st.binary(max_size=40), min_size=7, max_size=7)
)
def test_no_metadata_however_broken_are_an_error(tmp_path_factory, kind, contents):
    folder = tmp_path_factory.mktemp("fuzzed")
    info = folder / f"fuzzed-1.0.{kind}"
    info.mkdir()
    names = FUZZED if kind == "dist-info" else ("PKG-INFO", *FUZZED[1:5], "requires.txt", "SOURCES.txt")
    for name, content in zip(names, contents, strict=False):
        (info / name).write_bytes(content)
    installed = Distributions.read([str(folder)])
    found = installed.get("fuzzed")
    told = (found.version, found.requires, found.origin.text, found.modules, [*found.submodules()])
    assert told[0]
    assert "/" not in found.origin.text
    installed.is_elsewhere(found)
    assert installed.providers("no_such_module_at_all") == ()
    installed.is_loaded(found, sys.modules)
    assert found.is_plugin_of_pytest in (True, False)
    assert installed.providers("fuzzed.part") in ((), (found,))
    shutil.rmtree(folder)


def test_a_requirement_whose_condition_has_no_meaning_counts_once_it_is_loaded(site):
    site.install("lib", "1.0", ["lib.py"], requires=["other ; os_name ~= 'x'"])
    assert read(site).get("lib").requires == {"other"}


def test_requirements_are_evaluated_here_and_without_extras(site):
    site.install(
        "lib",
        "1.0",
        ["lib.py"],
        requires=[
            "Always_There (>=1)",
            "never ; python_version < '3'",
            "now ; python_version >= '3'",
            "optional ; extra == 'plot'",
            "either ; extra == 'plot' or python_version >= '3'",
            "with.extra[fast] >= 2",
        ],
    )
    assert read(site).get("lib").requires == {"always-there", "now", "either", "with-extra"}


def test_an_egg_is_read_too(site):
    info = site.folder / "Old_Lib-0.9-py3.11.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: Old-Lib\nVersion: 0.9\n")
    (info / "top_level.txt").write_text("oldlib\n")
    requires = "base>=1\n# nothing\n\n[extra]\nnever\n\n[extra:python_version >= '3']\nnever-too\n\n"
    requires += "[:python_version >= '3']\nnow\n\n[:python_version < '3']\nonce\n"
    (info / "requires.txt").write_text(requires)
    installed = read(site)
    assert names(installed.providers("oldlib.x")) == ["old-lib"]
    assert (installed.get("old.lib").version, installed.get("old-lib").requires) == ("0.9", {"base", "now"})
    assert installed.get("old-lib").origin.text == ""


def test_a_distribution_without_a_record_has_the_module_of_its_name(site):
    site.install("system-lib", "1.0", ["system_lib.py"], record=False)
    assert names(read(site).providers("system_lib")) == ["system-lib"]


def test_a_zip_file_on_the_path_is_read(site, tmp_path):
    site.install("zipped", "3.1", ["zipped/__init__.py"])
    archive = tmp_path / "app.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for path in site.folder.rglob("*"):
            target.write(path, path.relative_to(site.folder))
    installed = Distributions.read([str(archive)])
    assert names(installed.providers("zipped")) == ["zipped"]
    assert installed.get("zipped").version == "3.1"


def test_modules_of_an_editable_installation_are_known_by_their_place(site, tmp_path, monkeypatch):
    project = tmp_path / "my project"
    (project / "src").mkdir(parents=True)
    (project / "src" / "oddly_named.py").write_text("")
    about = {"url": project.as_uri(), "dir_info": {"editable": True}}
    site.install("mine", "0.1", ["_mine.pth"], about=about)
    monkeypatch.syspath_prepend(str(project / "src"))
    assert names(read(site).providers("oddly_named")) == ["mine"]
    assert "oddly_named" not in sys.modules


@pytest.mark.parametrize(
    ("about", "text"),
    [
        ({"url": "file:///home/alice/lib", "dir_info": {"editable": True}}, "editable"),
        ({"url": "file:///home/alice/lib", "dir_info": {}}, "local folder"),
        (
            {
                "url": "https://alice:secret@git.example/lib",
                "vcs_info": {"vcs": "git", "commit_id": "1a2b3c4d" * 5},
            },
            "git " + "1a2b3c4d" * 5,
        ),
        ({"url": "x", "vcs_info": {"vcs": "svn", "commit_id": "/home/alice"}}, "svn unknown"),
        ({"url": "https://alice:secret@example/lib-1.whl", "archive_info": {}}, "archive"),
        ({"url": "file:///home/alice/lib"}, "direct address, unknown"),
        (["not", "a", "mapping"], ""),
    ],
)
def test_an_origin_never_tells_an_address(site, about, text):
    site.install("lib", "1.0", ["lib.py"], about=about)
    assert read(site).get("lib").origin.text == text


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "1" * 9_999, '{"url": "file://[", "dir_info": {"editable": true}}', "null", '"x"']
    + [f'{{"url": "{url}", "dir_info": {{"editable": true}}}}' for url in ("file:///%00", "file:", "file:x")],
)
def test_an_origin_that_makes_no_sense_is_no_error(site, text):
    info = site.install("lib", "1.0", ["_lib.pth"])
    (info / "direct_url.json").write_text(text)
    installed = read(site)
    assert installed.get("lib").origin.text in ("", "editable")
    assert installed.providers("no_such_module_at_all") == ()
    assert not installed.is_elsewhere(installed.get("lib"))


@pytest.mark.parametrize("archive", [{"hashes": {"sha256": "ab" * 32}}, {"hash": "sha256=" + "ab" * 32}])
def test_the_digest_of_an_archive_is_kept(site, archive):
    site.install("lib", "1.0", ["lib.py"], about={"url": "file:///x.whl", "archive_info": archive})
    assert read(site).get("lib").origin.sha256 == "ab" * 32


def test_conda_tells_its_build_and_not_the_folder_of_its_build_machine(site, tmp_path):
    about = {"url": "file:///home/conda/feedstock_root/work", "dir_info": {}}
    site.install("My.Lib", "1.26.4", ["lib.py"], about=about, INSTALLER="conda\n")
    site.install("other", "2.0", ["other.py"])
    (tmp_path / "conda-meta").mkdir()
    for package in ("my-lib-1.26.4-py311h64a7726_0", "other-1.0-py311_1", "history"):
        (tmp_path / "conda-meta" / f"{package}.json").write_text("{}")
    found = read(site)
    installed = Distributions(found.by_name, found.folders, prefix=str(tmp_path))
    assert installed.conda_build(installed.get("my-lib")) == "py311h64a7726_0"
    assert installed.get("my-lib").origin.text == ""
    assert installed.conda_build(installed.get("other")) == ""


def test_the_owner_of_a_shared_library(site):
    site.install("My_Lib", "1", ["mylib/__init__.py", "mylib/.dylibs/libx.dylib"])
    site.install("nv_blas", "1", ["nv/blas/lib/libblas.so"])
    site.install("nv_fft", "1", ["nv/fft/__init__.py", "nv/blas_like/__init__.py"])
    installed = read(site)
    folder = site.folder
    assert installed.owner(f"{folder}/My_Lib.libs/libopenblas.so").name == "my-lib"
    assert installed.owner(f"{folder}/mylib/.dylibs/libx.dylib").name == "my-lib"
    assert installed.owner("/usr/lib/x86_64-linux-gnu/libgomp.so.1") is None
    assert installed.owner(f"{folder}/stray.so") is None


def test_loaded_means_one_of_its_own_modules_is(site):
    site.install("ns_a", "1", ["ns/a/__init__.py"])
    site.install("ns_b", "1", ["ns/b.py"])
    site.install("plain", "1", ["plain/__init__.py"])
    installed = read(site)
    modules = {"ns": object(), "ns.b": object(), "plain": object()}
    assert [installed.is_loaded(installed.get(name), modules) for name in ("ns-a", "ns-b", "plain")] == [
        False,
        True,
        True,
    ]
    assert not installed.is_loaded(installed.get("plain"), {"other": object()})


SNAPSHOT = """
import json, os, sys, importlib.metadata
from importlib.machinery import PathFinder
{before}
variables, finders, search = dict(os.environ), list(sys.meta_path), vars(PathFinder).get("find_distributions")
kind = type(importlib.metadata.distribution("pytest"))
from pytest_mlrepro.environment.distributions import Distributions
from pytest_mlrepro.environment.installed import _top_level
from pytest_mlrepro.environment.imports import threadpool_library
installed = Distributions.read()
threadpool_library().threadpool_info()
assert dict(os.environ) == variables
assert sys.meta_path == finders
assert vars(PathFinder).get("find_distributions") is search
assert type(importlib.metadata.distribution("pytest")) is kind
print(json.dumps({{name: [each.version, sorted(each.modules), sorted(each.requires)]
                  for name, each in installed.by_name.items()}}, sort_keys=True))
"""


def test_it_reads_the_same_with_and_without_the_backports_finder_and_changes_nothing():
    root = os.pathsep.join(path for path in sys.path if path)
    answers = []
    for before in ("", "import importlib_metadata"):
        code = SNAPSHOT.format(before=before)
        environ = {**os.environ, "PYTHONPATH": root}
        environ.pop("KMP_DUPLICATE_LIB_OK", None)
        done = subprocess.run(
            [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
    assert answers[0] == answers[1]
    assert answers[0]["pytest"][1] == ["_pytest", "py", "pytest"]
