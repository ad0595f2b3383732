"""The registry: which adapter fingerprints which type."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, singledispatch
from importlib import import_module
from inspect import signature
from types import MappingProxyType
from typing import Any, TypeVar

from pytest_mlrepro.errors import FingerprintError
from pytest_mlrepro.fingerprints.cache import FileCache
from pytest_mlrepro.fingerprints.digests import HASHES, Fingerprint, algorithm
from pytest_mlrepro.fingerprints.objects import python_object
from pytest_mlrepro.values import type_name

_Adapter = TypeVar("_Adapter", bound=Callable[..., Fingerprint])

_HOMES = MappingProxyType(
    {
        "numpy": "arrays",
        "pandas": "frames",
        "scipy": "sparse",
        "pathlib": "files",
        "polars": "polars",
        "pyarrow": "arrow",
        "torch": "tensors",
        "jax": "jax",
        "jaxlib": "jax",
        "tensorflow": "tensorflow",
        "sklearn": "estimators",
    }
)
"""Top-level package of a type -> our module with the adapters for it."""


class _Fingerprinting:
    """The callable ``fingerprint``: a single dispatch that loads the adapters of a library on its first object."""

    def __init__(self) -> None:
        self._adapters = singledispatch(python_object)

    def __call__(
        self,
        obj: object,
        *,
        ordered: bool = True,
        by_value: bool = False,
        digest: str = "",
        detail: bool = True,
        cache: FileCache | None = None,
    ) -> Fingerprint:
        """The fingerprint of an object.

        Args:
            obj: an array, tensor, frame, table, series, index, sparse matrix, estimator, Python scalar or nested
                container, or the ``Path`` of a file or folder. A plain string is a value, not a path. It is not
                changed, but a reader of batches is read to its end.
            ordered: whether the order of the rows (of the items of a list) counts.
            by_value: of a path, whether the values that its files hold count instead of their bytes.
            digest: the hash of bulk data, ``"blake3"`` or ``"xxh3"``.
            detail: whether what explains a difference is gathered too.
            cache: of files read before, so that those unchanged since are not read again; only paths use it.

        Raises:
            FingerprintError: for a type without an adapter, a value without a stable form, an unreadable file.
        """
        adapter = self.adapter(type(obj))
        try:
            options = {} if ordered else self._unordered(adapter, obj)
            known = signature(adapter).parameters
            given = {"cache": cache, "by_value": by_value, "hashing": algorithm(digest or HASHES[0])}
            options |= {name: value for name, value in given.items() if value and name in known}
            if "detail" in known:
                options["detail"] = detail
            return adapter(obj, **options)
        except RecursionError:
            raise FingerprintError(
                f"the {type_name(obj)} is nested too deeply, or contains itself",
                remedy="fingerprint a flat array or table of its values instead",
            ) from None

    def _unordered(self, adapter: Callable[..., Fingerprint], obj: object) -> dict[str, Any]:
        if "ordered" in signature(adapter).parameters:
            return {"ordered": False}
        raise FingerprintError(
            f"the adapter of {type_name(obj)} knows no ordered=False",
            remedy="give the adapter a keyword argument 'ordered', or leave it out here",
        )

    def adapter(self, kind: type) -> Callable[..., Fingerprint]:
        """The adapter for a type; that for Python's own objects where there is no other."""
        for base in kind.__mro__:
            home = _HOMES.get(base.__module__.partition(".")[0])
            if home is not None:
                self._load(home)
        return self._adapters.dispatch(kind)

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


fingerprint = _Fingerprinting()
