"""Find the line of the project's code that a use of randomness comes from, or that nobody has to answer for it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import CodeType, FrameType

from pytest_mlrepro.codegraph.places import Project
from pytest_mlrepro.guard.callee import callee
from pytest_mlrepro.guard.libraries import Kind, kind_of
from pytest_mlrepro.guard.point import Found, Point

_STATE_FOLLOWS = frozenset({"jumped", "load", "loads"})
"""Functions of C that make a generator only to give it the state of another one."""
_WELL_KNOWN = frozenset({"default_rng", "RandomState", "SeedSequence", "PCG64", "MT19937", "seed"})
_NUMBA_STATE = 2496
"""Bytes that numba asks for at once: the state of its own Mersenne Twister."""


_OURS = "pytest_mlrepro."


class Attribution:
    """Walks up the frames; remembers what it has found out about files, modules and calls."""

    def __init__(self, root: Path) -> None:
        """Make one for the project below ``root``."""
        self._project = Project(root)
        self._files: dict[str, str] = {}
        self._kinds: dict[str, Kind] = {}
        self._callees: dict[tuple[CodeType, int], str] = {}

    def find(self, frame: FrameType, point: Point, size: int = 0) -> Found | None:
        """The project's line that is answerable; None where there is none.

        Frames that are met first decide: a benign library has taken the randomness for its own ends.

        Args:
            frame: the innermost one.
            point: where the randomness was taken.
            size: how many bytes.
        """
        inner: FrameType | None = None
        caller: FrameType | None = None
        via = ""
        step: FrameType | None = frame
        while step is not None:
            code, module = step.f_code, step.f_globals.get("__name__", "")
            kind = self._kinds.get(module) or self._kind(module)
            if kind is not Kind.GUARD:
                file = self._files.get(code.co_filename)
                file = self._file(code.co_filename) if file is None else file
                if file and not module.startswith(_OURS):
                    return self._found(step, file, point, inner, caller or step, via, size)
                if kind is Kind.BENIGN or _is_unused(step, module):
                    return None
                if kind is Kind.PART and caller is None:
                    inner = step
                else:
                    caller = caller or step
                    # What a library has made up, such as the __init__ of a dataclass, has no file.
                    via = via if code.co_filename.startswith("<") else module.partition(".")[0]
            step = step.f_back
        return None

    def _found(  # noqa: PLR0917 - what the walk has gathered
        self,
        step: FrameType,
        file: str,
        point: Point,
        inner: FrameType | None,
        caller: FrameType,
        via: str,
        size: int,
    ) -> Found | None:
        called = self._callee(caller)
        if called in _STATE_FOLLOWS or (point.direct and via):
            return None
        call = _told_by(inner, called, point, caller)
        if point.direct and called and not _is_called(called, caller, call):
            # Something without frames of its own has called it.
            if size != _NUMBA_STATE or "numba" not in sys.modules:
                return None
            call, via = f"{called}()", "numba"
        code = step.f_code
        direct = not via or via == "numba"
        via = via or (point.via if inner is None else inner.f_globals["__name__"].partition(".")[0])
        return Found(file, step.f_lineno, code.co_qualname, call, via, direct)

    def _callee(self, frame: FrameType) -> str:
        key = (frame.f_code, frame.f_lasti)
        known = self._callees.get(key)
        if known is None:
            known = self._callees[key] = callee(*key)
        return known

    def _file(self, name: str) -> str:
        """The file's place below the root; empty where it is not the project's."""
        # Code without a file has names like <string>.
        path = None if name.startswith("<") else self._project.relative(Path(name))
        found = self._files[name] = "" if path is None else path.as_posix()
        return found

    def _kind(self, module: str) -> Kind:
        found = self._kinds[module] = kind_of(module)
        return found


def _told_by(inner: FrameType | None, called: str, point: Point, caller: FrameType) -> str:
    """What took the randomness: the outermost function of the library that gives it, or what was called."""
    if inner is None:
        if point.call:
            return point.call
        if not called:
            return f"a generator of {point.via}"
        return f"{called if called in _WELL_KNOWN else _real_name(called, caller)}()"
    module, code = inner.f_globals.get("__name__", ""), inner.f_code
    if module == "random":
        if point.direct:
            return f"SystemRandom.{code.co_name}()"
        return "random.seed()" if code.co_name == "seed" else "random.Random()"
    return f"{module}.{code.co_name}()"


def _is_called(name: str, caller: FrameType, call: str) -> bool:
    """Whether the name that is called stands for the function that took the randomness."""
    expected = call.partition("(")[0].rpartition(".")[2]
    if name == expected:
        return True
    return _real_name(name, caller) == expected


def _real_name(name: str, caller: FrameType) -> str:
    """What a function calls itself that is known by another name there: ``from uuid import uuid4 as new_id``."""
    named = caller.f_locals.get(name, caller.f_globals.get(name))
    return str(getattr(named, "__name__", name))


def _is_unused(frame: FrameType, module: str) -> bool:
    """Whether a function makes a generator that it has no use for: scipy's, where they are given a start vector."""
    return module.startswith("scipy.sparse.linalg") and frame.f_locals.get("v0") is not None
