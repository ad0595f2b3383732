"""The registry: which adapter fingerprints which type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, singledispatch
from importlib import import_module
from inspect import signature
from types import MappingProxyType
from typing import Any, TypeVar
from weakref import WeakSet

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints import HASHES
from pytest_mlrepro.fingerprints.cache import FileCache
from pytest_mlrepro.fingerprints.comparing import compared, rehashed
from pytest_mlrepro.fingerprints.digests import Fingerprint, algorithm, hash_of
from pytest_mlrepro.fingerprints.forms import Form, taken
from pytest_mlrepro.fingerprints.how import Advance, How
from pytest_mlrepro.fingerprints.objects import python_object
from pytest_mlrepro.fingerprints.tables import Grid, Table
from pytest_mlrepro.values import type_name

_Adapter = TypeVar("_Adapter", bound=Callable[..., Form | Fingerprint])

_HOMES = MappingProxyType(
    {
        "numpy": ("arrays",),
        "pandas": ("frames",),
        "scipy": ("sparse",),
        "dask": ("dask",),
        "pyspark": ("spark",),
        "ray": ("ray",),
        "pathlib": ("files",),
        "polars": ("polars",),
        "pyarrow": ("arrow",),
        "torch": ("tensors", "samples"),
        "jax": ("jax",),
        "jaxlib": ("jax",),
        "tensorflow": ("tensorflow",),
        "sklearn": ("estimators",),
        "datasets": ("datasets",),
        "PIL": ("images",),
    }
)
"""Top-level package of a type -> our modules with the adapters for it."""


class _Fingerprinting:
    """The callable ``fingerprint``: a single dispatch that loads the adapters of a library on its first object."""

    def __init__(self) -> None:
        self._adapters: Any = singledispatch(python_object)
        self._met: WeakSet[type] = WeakSet()

    def __call__(
        self,
        obj: object,
        *,
        ordered: bool = True,
        by_value: bool = False,
        sample: object = None,
        digest: str = "",
        known: Fingerprint | None = None,
        detail: bool = True,
        locate: bool = False,
        private: Iterable[object] = (),
        cache: FileCache | None = None,
        advance: Advance | None = None,
    ) -> Fingerprint:
        """The fingerprint of an object.

        Args:
            obj: an array, tensor, frame, table, series, index, sparse matrix, estimator, Python scalar or nested
                container, or the ``Path`` of a file or folder. A plain string is a value, not a path. It is not
                changed, but a reader of batches is read to its end.
            ordered: whether the order of the rows (of the items of a list) counts.
            by_value: of a path, whether the values that its files hold count instead of their bytes.
            sample: of what gives its items one by one, such as a ``torch.utils.data.Dataset``: which ones count.
            digest: the hash of bulk data, ``"blake3"`` or ``"xxh3"``; empty for that of ``known``, or the first.
            known: a fingerprint to compare with: given back where the data has it, which is found out without the
                statistics of the detail; otherwise the new one says in its remark what takes the data to say.
            detail: whether what explains a difference is gathered too; without, the detail is empty.
            locate: whether the detail can locate changed cells and rows later, see ``docs/fingerprints.md``.
            private: names of columns of which the detail tells nothing but a short digest.
            cache: of files read before, so that those unchanged since are not read again; only paths use it.
            advance: is called with the number of bytes, about, that have been read since the last call.

        Raises:
            FingerprintError: for a type without an adapter, a value without a stable form, an unreadable file.
        """
        hashing = algorithm(digest or (hash_of(known.digest) if known is not None else "") or HASHES[0])
        how = How(ordered, hashing, detail, locate, frozenset(private), cache, advance)
        try:
            form = self._form(obj, how, known, by_value=by_value, sample=sample)
            refused = not isinstance(form, Table | Grid) and "private" not in _options(
                self.adapter(type(obj))
            )
            if (how.locate or how.private) and refused:
                raise FingerprintError(
                    f"locate and private are for the columns of tables and arrays, not for {type_name(obj)}",
                    remedy="leave them out, or fingerprint the table that it holds",
                )
            if not isinstance(form, Fingerprint):
                return taken(form, how) if known is None else compared(form, known, how)
            if known is None or known == form:
                return known or form
            name = hash_of(known.digest)
            if form.remark or name in ("", hash_of(form.digest)):
                return form
            # What has no form is asked again.
            old = self(obj, ordered=ordered, by_value=by_value, sample=sample, digest=name, detail=False)
            return replace(form, remark=rehashed(name, how.algorithm.name)) if old == known else form
        except RecursionError:
            raise FingerprintError(
                f"the {type_name(obj)} is nested too deeply, or contains itself",
                remedy="fingerprint a flat array or table of its values instead",
            ) from None

    def _form(
        self, obj: object, how: How, compared_with: Fingerprint | None, **asked: Any
    ) -> Form | Fingerprint:
        """What the adapter says, given those of the options that it knows."""
        adapter = self.adapter(type(obj))
        known = _options(adapter)
        # An array of numbers has no truth value.
        options = {name: value for name, value in asked.items() if value is not None and value is not False}
        if not how.ordered:
            options["ordered"] = False
        given = {name: value for name, value in options.items() if name in known}
        softly = {
            "how": how,
            "known": compared_with,
            "hashing": how.algorithm,
            "detail": how.detail,
            "locate": how.locate,
            "private": how.private,
            "cache": how.cache,
            "advance": how.advance,
        }
        given |= {name: value for name, value in softly.items() if name in known}
        form: Form | Fingerprint = adapter(obj, **given)
        if not isinstance(form, Fingerprint):
            # A form has its rows in any order.
            options.pop("ordered", None)
        for name in options.keys() - known:
            raise FingerprintError(
                f"the adapter of {type_name(obj)} knows no {name}={options[name]!r}",
                remedy=f"give the adapter a keyword argument {name!r}, or leave it out here",
            )
        return form

    def adapter(self, kind: type) -> Callable[..., Form | Fingerprint]:
        """The adapter for a type; that for Python's own objects where there is no other."""
        if kind not in self._met:
            for base in kind.__mro__:
                for home in _HOMES.get(base.__module__.partition(".")[0], ()):
                    self._load(home)
            self._met.add(kind)
        adapter: Callable[..., Form | Fingerprint] = self._adapters.dispatch(kind)
        return adapter

    def register(self, kind: type) -> Callable[[_Adapter], _Adapter]:
        """Decorate an adapter for a type and its subclasses: it takes the object and returns its fingerprint.

        For instance::

            @fingerprint.register(Corpus)
            def _(corpus):
                return fingerprint(corpus.to_frame())
        """
        # Ours come first, so that they do not replace the user's when they are loaded.
        self.adapter(kind)

        def registered(adapter: _Adapter) -> _Adapter:
            self._adapters.register(kind, adapter)
            return adapter

        return registered

    @cache  # noqa: B019 - there is one instance, and it lives as long as the process
    def _load(self, home: str) -> None:
        adapters: Callable[[], dict[type, Any]] = import_module(f"{__package__}.{home}").adapters
        for kind, adapter in adapters().items():
            self._adapters.register(kind, adapter)


@cache
def _options(adapter: Callable[..., Any]) -> frozenset[str]:
    """The names of its arguments."""
    return frozenset(signature(adapter).parameters)


fingerprint = _Fingerprinting()
