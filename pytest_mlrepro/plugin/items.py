"""Read pytest's items and fixtures: who uses us, and what a subject is called."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pytest_mlrepro.config import parse_policy, parse_seed, unknown
from pytest_mlrepro.errors import ConfigError
from pytest_mlrepro.model import Policy, Tolerance
from pytest_mlrepro.plugin import USING

CARRIER = "_mlrepro"
"""The attribute of a report that carries contributions: it survives the crash of a worker."""
NAME = "_mlrepro_identity"
"""The attribute of a report that names the test where its node id does not."""
_NAMES = pytest.StashKey[tuple[str, str]]()
_MARKS = ("rtol", "atol", "seed", "policy")
_SET = type(pytest.param(None))
_LONGEST = 60


def identity(item: pytest.Item) -> str:
    """The node id under which a test is known: without what xdist's groups add to it."""
    return _names(item)[0]


def is_renamed(item: pytest.Item) -> bool:
    """Whether a test is known by another name than its node id."""
    name, nodeid = _names(item)
    return name != nodeid


def may_be_renamed(nodeid: str) -> bool:
    """Whether a test with this node id may be known by another name: mostly that is known without its item."""
    return "@" in nodeid or not nodeid.isascii()


def _names(item: pytest.Item) -> tuple[str, str]:
    # Each phase asks again, and pytest puts a node id together whenever it is asked.
    known = item.stash.get(_NAMES, None)
    if known is None:
        nodeid = item.nodeid
        name = nodeid.removesuffix(_group_suffix(item)) if "@" in nodeid else nodeid
        known = item.stash[_NAMES] = (_storable(name), nodeid)
    return known


def _storable(name: str) -> str:
    """A name as UTF-8 can hold it: names of files, and ids that pytest does not escape, may hold lone surrogates."""
    return name if name.isascii() else name.encode("utf-8", "backslashreplace").decode()


def _group_suffix(item: pytest.Item) -> str:
    """What ``--dist loadgroup`` appends to the node id on pytest before 9.2; empty without a group."""
    names = {
        str((*mark.args, mark.kwargs.get("name", "default"))[0]) for mark in item.iter_markers("xdist_group")
    }
    return f"@{'_'.join(sorted(names))}" if names else ""


def running(session: pytest.Session) -> pytest.Item | None:
    """The test that is set up at the moment."""
    stack = getattr(getattr(session, "_setupstate", None), "stack", ())
    innermost = next(reversed(stack), None)
    return innermost if isinstance(innermost, pytest.Item) else None


def is_user(item: pytest.Item) -> bool:
    """Whether a test requests a fixture of ours itself or through its function-scoped fixtures."""
    names: Sequence[str] = getattr(item, "fixturenames", ())
    if USING.isdisjoint(names):
        return False
    info = getattr(item, "_fixtureinfo", None)
    if info is None:
        return True
    return _requests(info.initialnames, info.name2fixturedefs, set())


def _requests(names: Sequence[str], definitions: Mapping[str, Any], seen: set[str]) -> bool:
    for name in names:
        if name in USING:
            return True
        if name in seen or not definitions.get(name):
            continue
        seen.add(name)
        definition = definitions[name][-1]
        if definition.scope == "function" and _requests(definition.argnames, definitions, seen):
            return True
    return False


def has_failed(item: pytest.Item) -> bool:
    """Whether the body of a test has failed or was skipped without saying so: unittest keeps it for the report."""
    return bool(getattr(item, "_excinfo", None))


def fixtures_of(item: pytest.Item) -> Iterator[pytest.FixtureDef[Any]]:
    """Every fixture definition that a test may use, and those that it has got by ``request.getfixturevalue``."""
    info = getattr(item, "_fixtureinfo", None)
    for definitions in () if info is None else info.name2fixturedefs.values():
        yield from definitions
    yield from getattr(getattr(item, "_request", None), "_fixture_defs", {}).values()


def file_of(function: Callable[..., object]) -> Path | None:
    """The file that defines a fixture or test."""
    code = getattr(_unwrapped(function), "__code__", None)
    return _path(code.co_filename) if code is not None else None


@cache
def _path(name: str) -> Path:
    # Each test of a file is asked for the same ones.
    return Path(name)


def _unwrapped(function: Any) -> Any:
    while hasattr(function, "__wrapped__") or hasattr(function, "func"):
        function = getattr(function, "__wrapped__", None) or function.func
    return function


def fixture_subject(definition: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> str:
    """What a class-, module-, package- or session-scoped fixture is called as a subject.

    The name is the same whichever test asks first, and no other fixture or parameter has it.
    """
    return _storable(f"{_where(definition, request)}::{definition.argname}{_parameter(definition, request)}")


def _where(definition: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> str:
    # One definition in a conftest is set up anew for each class or module that uses it.
    user, home = str(request.node.nodeid), definition.baseid
    if "::" in home and home.startswith(user):
        # A class may define what lives longer than the class.
        return home
    if definition.scope == "session":
        return _place(definition, request)
    visible = request.session._fixturemanager.getfixturedefs(definition.argname, request.node) or [definition]
    # Where one overrides another, both may be set up for the same class or module.
    return user if definition is visible[-1] else f"{user}::{_place(definition, request)}"


def _place(definition: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> str:
    path = file_of(definition.func)
    root = request.config.rootpath
    if path is not None and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return str(getattr(definition.func, "__module__", "") or "fixtures")


def _parameter(definition: pytest.FixtureDef[Any], request: Any) -> str:
    if not hasattr(request, "param"):
        return ""
    index, param = request.param_index, request.param
    own = list(definition.params or ())
    if index >= len(own) or _value(own[index]) is not param:
        # Parametrised by tests: those of another test have the same indices.
        return f"[{_text(param) or f'{definition.argname}{index}'}]"
    labels = [_label(definition, at, each) for at, each in enumerate(own)]
    label = labels[index]
    return f"[{label}]" if labels.count(label) == 1 else f"[{label}{index}]"


def _label(definition: pytest.FixtureDef[Any], index: int, param: Any) -> str:
    """The id that somebody gave a parameter of a fixture, or else what it is."""
    value, ids = _value(param), definition.ids
    given: Any = param.id if isinstance(param, _SET) else None
    if given is None and ids is not None:
        given = ids(value) if callable(ids) else ids[index]
    if given is None and (isinstance(value, str | int | float) or value is None):
        given = str(value)
    return str(given) if isinstance(given, str | int | float) else f"{definition.argname}{index}"


def _value(param: Any) -> object:
    return param.values[0] if isinstance(param, _SET) else param


def _text(param: object) -> str:
    """What a parameter is, short; empty where its text does not say all of it in every process."""
    if not _is_readable(param):
        return ""
    text = param if isinstance(param, str) else repr(param)
    digest = hashlib.blake2s(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return text if len(text) <= _LONGEST else f"{type(param).__name__}-{digest}"


def _is_readable(param: object) -> bool:
    """Whether the text of a value says all of it, in every process."""
    if isinstance(param, list | tuple):
        return all(map(_is_readable, param))
    if isinstance(param, dict):
        return all(_is_readable(key) and _is_readable(value) for key, value in param.items())
    return param is None or type(param) in (bool, int, float, complex, str, bytes)


def marks(item: pytest.Item) -> dict[str, Any]:
    """The arguments of the test's markers, the nearest first; checked.

    Raises:
        ConfigError: for an unknown argument or an unusable value.
    """
    found: dict[str, Any] = {}
    policy: dict[str, Policy] = {}
    for marker in item.iter_markers("mlrepro"):
        where = f"@pytest.mark.mlrepro on {identity(item)}"
        if marker.args:
            raise ConfigError("the marker takes keywords only", where=where, remedy="for instance: rtol=1e-6")
        for name, value in marker.kwargs.items():
            if name not in _MARKS:
                raise unknown(name, _MARKS, "argument", where)
            if name == "policy":
                policy = {**parse_policy(value, where), **policy}
            elif name == "seed":
                found.setdefault(name, _seed(value, where))
            else:
                found.setdefault(name, value)
    return {**found, "policy": policy} if policy else found


def tolerance(marked: Mapping[str, Any], item: pytest.Item) -> Tolerance | None:
    """The tolerance that a test's markers give."""
    if "rtol" not in marked and "atol" not in marked:
        return None
    return Tolerance(marked.get("rtol", 0.0), marked.get("atol", 0.0))


def _seed(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(
            f"seed must be an integer, got {value!r}", where=where, remedy="for instance: seed=1"
        )
    return parse_seed(value, where)


def selection(subject: str, config: pytest.Config) -> str:
    """What selects a test on the command line of the folder that pytest was started in; empty for all tests."""
    path, _, rest = subject.partition("::")
    file = config.rootpath / path
    return f"{_from_here(file, config)}::{rest}" if rest and file.exists() else ""


def users(fixture: str, config: pytest.Config) -> str:
    """What selects the tests that may use a fixture: its file, or the folder of its conftest; empty for all tests."""
    file = config.rootpath / fixture.partition("::")[0]
    home = file.parent if file.name == "conftest.py" else file
    return "" if home == config.rootpath or not home.exists() else _from_here(home, config)


def _from_here(path: Path, config: pytest.Config) -> str:
    try:
        return Path(os.path.relpath(path, config.invocation_params.dir)).as_posix()
    except ValueError:
        # Another drive.
        return str(path)
