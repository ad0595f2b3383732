"""What a lockfile tells of a distribution, and what can be asked of an index."""

from __future__ import annotations

import pytest
from export.runs import ARCHIVE, COMMIT, EVERY_ORIGIN, locked

from pytest_mlrepro.errors import LockfileError
from pytest_mlrepro.export.pins import missing, pins, rebuilt, recorded, tagged
from pytest_mlrepro.model import SESSION, Fact, Run


def only(value, name="lib", **options):
    (pin,) = recorded(locked({name: value}, **options))
    return pin


def test_sorted_and_without_the_runtime():
    assert [pin.name for pin in recorded(locked(EVERY_ORIGIN))] == sorted(EVERY_ORIGIN)


@pytest.mark.parametrize(
    ("value", "version", "origin", "build"),
    [
        ("2.4.6", "2.4.6", "", ""),
        ("2.5.1+cu124", "2.5.1+cu124", "", ""),
        ("1!2.0.post1", "1!2.0.post1", "", ""),
        ("1.26.4 (conda py311h64a7726_0)", "1.26.4", "conda py311h64a7726_0", "py311h64a7726_0"),
        ("1.0 (editable)", "1.0", "editable", ""),
        ("1.0 (conda a b)", "1.0", "conda a b", ""),
    ],
)
def test_a_value_is_a_version_and_an_origin(value, version, origin, build):
    pin = only(value)
    assert (pin.version, pin.origin, pin.conda_build) == (version, origin, build)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            "1.0 (editable)",
            "lib 1.0: installed in editable mode from a folder of the machine where it was recorded",
        ),
        ("1.0 (local folder)", "lib 1.0: installed from a folder of the machine where it was recorded"),
        (
            f"1.0 (git {COMMIT})",
            f"lib 1.0: installed from the git commit {COMMIT}; the lockfile holds no address",
        ),
        ("1.0 (archive)", "lib 1.0: installed from an archive; the lockfile holds no address"),
        (
            "1.0 (direct address, unknown)",
            "lib 1.0: installed from elsewhere than an index (direct address, unknown)",
        ),
        ("1.0 (conda a b)", "lib 1.0: installed from elsewhere than an index (conda a b)"),
        ("1.0 (conda -x)", "lib 1.0: installed from elsewhere than an index (conda -x)"),
        ("unknown", "lib: its version is not known, its metadata could not be read"),
        ("unknown (editable)", "lib: its version is not known, its metadata could not be read"),
        ("2004d", "lib 2004d: no name or version that an index can have"),
        (("1", "0"), "lib ('1', '0'): no name or version that an index can have"),
    ],
)
def test_what_no_index_has_is_described(value, said):
    pin = only(value)
    assert not pin.is_on_index
    assert pin.described == said
    assert missing([pin]) == (f"left out: {said}",)


@pytest.mark.parametrize(
    ("value", "note", "said"),
    [
        ("1.0 (no distribution)", "", "lib 1.0: a module, no distribution provides it"),
        (
            "1.0 (no distribution)",
            "not imported from here\n-e .",
            'lib 1.0: a module, "not imported from here\\n-e ."',
        ),
        (
            "unknown",
            "no distribution provides it",
            "lib: its version is not known, no distribution provides it",
        ),
        ("unknown", "\n-e .", 'lib: its version is not known, "\\n-e ."'),
    ],
)
def test_what_was_in_doubt_is_told(value, note, said):
    fact = Fact("libraries", "lib", value, detail={"note": note})
    (pin,) = recorded(Run.of({SESSION: [fact]}))
    assert not pin.is_on_index
    assert pin.described == said


def test_the_digest_of_an_archive_is_known():
    assert f"from an archive with sha256 {ARCHIVE}" in only("1.0 (archive)", sha256=ARCHIVE).described
    assert only("1.0 (archive)", sha256="# not a digest").sha256 == ""


@pytest.mark.parametrize("name", ["-e", "a\n-r b", "A", "ünder", "a;b", "", "numpy ", "a[b]"])
def test_what_is_no_name_is_not_asked_of_an_index(name):
    pin = only("1.0", name=name)
    assert not pin.is_on_index
    assert "\n" not in pin.described
    assert pin.described.isascii()


@pytest.mark.parametrize(
    "version", ["1.0\n-r other", "1.0;python_version<'3'", "*", "1.*", ">=1", "1.0,!=2", "1.0po\u017ft1"]
)
def test_what_is_no_version_is_not_asked_of_an_index(version):
    pin = only(version)
    assert not pin.is_on_index
    assert "\n" not in pin.described


def test_notes_on_what_an_index_has_differently():
    found = recorded(locked(EVERY_ORIGIN))
    (tag,) = tagged(found)
    assert tag.startswith("torch==2.5.1+cu124: the public index holds no version with a local tag")
    (build,) = rebuilt(found)
    assert build.startswith("recorded from conda: scipy; an index has other builds")
    assert tagged(recorded(locked({"numpy": "2"}))) == rebuilt(recorded(locked({"numpy": "2"}))) == ()


def test_nothing_to_install():
    for run in (Run(), Run.of({SESSION: [Fact("libraries", "runtime.python", "CPython 3.12.4")]})):
        with pytest.raises(LockfileError) as raised:
            pins(run, "mlrepro.lock")
        assert str(raised.value) == (
            "mlrepro.lock: no libraries are recorded, so there is nothing to install\n"
            "record them: pytest --mlrepro-update --mlrepro-only=libraries"
        )
