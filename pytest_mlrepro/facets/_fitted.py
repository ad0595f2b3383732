"""The fitted state of a model, attribute by attribute, without pickling it.

scikit-learn's convention tells what was learnt: public attributes whose names end in an underscore. Nested estimators
are walked; a tree is its node arrays; the members of an ensemble are laid end to end, attribute by attribute, so that
a forest of 100 trees has as many facts as one of 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets._parameters import class_name
from pytest_mlrepro.values import is_arraylike, is_plain, is_sparse, type_name

_MAX_DEPTH = 32
# How long training took is no property of what was trained.
_WALL_CLOCK = re.compile(r"(^|_)(fit|score|refit)_time_?$")
_PUBLIC = re.compile(r"^[^_]\w*(?<!_)_$")
# Estimators that keep what they learnt under a private name only: histogram boosting and nearest neighbours.
_PRIVATE = ("_predictors", "_fit_X", "_y")
# Where compositions keep fitted estimators in place, under the name of a parameter.
_HOLDERS: Mapping[str, str] = {
    "Pipeline": "steps",
    "FeatureUnion": "transformer_list",
    "FrozenEstimator": "estimator",
}
# Not tree_.__getstate__(): its padding and the unused cells of leaves are uninitialised memory.
_TREE = (
    "children_left",
    "children_right",
    "feature",
    "threshold",
    "impurity",
    "n_node_samples",
    "weighted_n_node_samples",
    "value",
)
# More members than these are recorded together and no longer one by one.
_LARGEST_MAPPING = 32
_MOST_ARRAYS = 8


@dataclass
class State:
    """What a model has learnt.

    Attributes:
        leaves: arrays, numbers and strings by dotted path.
        skipped: what is not recorded, each with the reason.
    """

    leaves: dict[str, object] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)


def fitted_state(model: object, what: str) -> State:
    """The fitted state of a scikit-learn estimator or of anything that keeps to its convention.

    Also a torch module by its ``state_dict()``, a Keras model by ``get_weights()``, and XGBoost's and LightGBM's
    estimators by the text form of their trees.

    Args:
        model: the fitted model; it is not changed.
        what: how to call it in an error message.

    Raises:
        RecordingError: if there is no fitted state, or it is a class.
    """
    if isinstance(model, type):
        raise RecordingError(f"{what} is the class {type_name(model)}", remedy="pass a fitted instance of it")
    if is_plain(model) or is_arraylike(model):
        raise RecordingError(
            f"{what} is of type {type_name(model)}, which is no model",
            remedy="did the function that trains it return it? For numbers use mlrepro.metric() or mlrepro.array()",
        )
    state = State()
    _visit("", model, state, ())
    if not state.leaves:
        raise RecordingError(
            f"{what} is a {class_name(model)} without fitted state: no public attribute ends in an underscore",
            remedy="fit it first; of a model without such attributes record its weights with mlrepro.array()",
        )
    return state


def _visit(path: str, obj: Any, state: State, above: tuple[int, ...]) -> None:
    if is_plain(obj):
        state.leaves[path] = obj
    elif id(obj) in above or len(above) > _MAX_DEPTH:
        state.skipped.append(f"{path}: leads back to an object above it")
    elif is_arraylike(obj) or is_sparse(obj):
        _visit_array(path, obj, state, above)
    elif isinstance(obj, list | tuple | range | AbstractSet):
        _visit_members(path, obj, state, (*above, id(obj)))
    else:
        parts = _parts(obj)
        if parts is None:
            state.skipped.append(f"{path}: {_reason(obj)}")
            return
        for name, part in parts:
            _visit(_join(path, name), part, state, (*above, id(obj)))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _is_scalar(obj: object) -> bool:
    return is_plain(obj) or (is_arraylike(obj) and getattr(obj, "shape", None) == ())


def _reason(obj: object) -> str:
    if hasattr(obj, "get_params"):
        return f"a {class_name(obj)} that is not fitted"
    return f"a callable ({type_name(obj)})" if callable(obj) else f"a {type_name(obj)}"


def _visit_array(path: str, obj: Any, state: State, above: tuple[int, ...]) -> None:
    if getattr(obj, "dtype", None) is not None and getattr(obj.dtype, "names", None):
        for name in obj.dtype.names:
            state.leaves[f"{path}.{name}"] = obj[name]
    elif type(obj).__module__ == "numpy" and getattr(obj.dtype, "kind", "") == "O":
        items = obj.ravel().tolist()
        if all(map(is_plain, items)):
            state.leaves[path] = obj
        else:
            _visit_members(path, items, state, (*above, id(obj)))
    else:
        state.leaves[path] = obj


def _visit_members(path: str, items: Iterable[Any], state: State, above: tuple[int, ...]) -> None:
    items = sorted(items, key=repr) if isinstance(items, AbstractSet) else list(items)
    items = _without_nesting(items)
    if all(map(_is_scalar, items)):
        state.leaves[path] = items
        return
    if _are_alike(items):
        _visit_ensemble(path, items, state, above)
        return
    for index, item in enumerate(items):
        if isinstance(item, tuple) and len(item) in (2, 3) and isinstance(item[0], str):
            # A step of a composition: its name, its estimator, and what columns it gets.
            for name, part in zip(("", "columns"), item[1:], strict=False):
                _visit(_join(f"{path}.{item[0]}", name), part, state, above)
        else:
            _visit(f"{path}.{index}", item, state, above)


def _are_alike(items: list[Any]) -> bool:
    """Whether they are members of an ensemble: several of one class, or many arrays."""
    if len(items) < 2 or len({type(item) for item in items}) > 1 or isinstance(items[0], Mapping):
        return False
    return len(items) > _MOST_ARRAYS if is_arraylike(items[0]) else _parts(items[0]) is not None


def _without_nesting(items: list[Any]) -> list[Any]:
    """Lists of estimators in lists, a class each in boosting, as one list."""
    while items and all(isinstance(item, list) and not all(map(_is_scalar, item)) for item in items):
        items = [member for item in items for member in item]
    return items


def _visit_ensemble(path: str, members: list[Any], state: State, above: tuple[int, ...]) -> None:
    """Members of one class: each attribute of all of them end to end; once where it is the same in all."""
    import numpy as np

    columns: dict[str, list[Any]] = {}
    for member in members:
        own = State()
        _visit("", member, own, above)
        for name, leaf in own.leaves.items():
            columns.setdefault(name, []).append(leaf)
        state.skipped += [f"{path}.{told}" for told in own.skipped if f"{path}.{told}" not in state.skipped]
    state.leaves[f"{path}.length"] = len(members)
    for name, leaves in columns.items():
        if any(map(is_sparse, leaves)) or any(leaf is None for leaf in leaves):
            state.leaves.update({_join(f"{path}.{index}", name): leaf for index, leaf in enumerate(leaves)})
            continue
        arrays = [np.asarray(leaf) for leaf in leaves]
        first = arrays[0]
        same = len(leaves) == len(members) and all(_equal(first, array) for array in arrays)
        joined = leaves[0] if same else np.concatenate([np.ravel(array) for array in arrays])
        state.leaves[_join(path, name)] = joined


def _equal(left: Any, right: Any) -> bool:
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    return (
        bool(left.tolist() == right.tolist()) if left.dtype.kind == "O" else left.tobytes() == right.tobytes()
    )


def _parts(obj: Any) -> Iterable[tuple[str, Any]] | None:
    """The named parts of an object that holds fitted state; None of an object that is not known to hold any."""
    if isinstance(obj, Mapping):
        return _of_mapping(obj)
    if isinstance(obj, slice):
        return [("", repr(obj))]
    if isinstance(obj, type) or _is_generator(obj) or hasattr(obj, "next_leaf_"):
        # The nodes of a Birch tree are linked in a ring; the centres of its leaves are recorded anyway.
        return None
    for members, parts in _HOLDING:
        if all(hasattr(obj, member) for member in members):
            return list(parts(obj))
    return list(_of_estimator(obj)) or None


def _is_generator(obj: object) -> bool:
    return type(obj).__module__.startswith("numpy.random")


def _of_mapping(obj: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    items = [(str(key), value) for key, value in obj.items() if not _WALL_CLOCK.search(str(key))]
    if len(items) > _LARGEST_MAPPING and all(is_plain(value) or hasattr(value, "item") for _, value in items):
        # A vocabulary of ten thousand words is two arrays, not ten thousand facts.
        items.sort(key=lambda item: item[0])
        return iter([("keys", [key for key, _ in items]), ("values", [_plain(value) for _, value in items])])
    return iter(items)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _of_estimator(obj: Any) -> Iterator[tuple[str, Any]]:
    """What an estimator has learnt, sorted by name; boosters of other libraries as their text form."""
    own = getattr(obj, "__dict__", {})
    for name in sorted(own):
        if name.startswith("named_") or _WALL_CLOCK.search(name):
            # Another view of what is walked anyway, or no property of the model.
            continue
        if _PUBLIC.match(name) or name in _PRIVATE:
            yield name, own[name]
    holder = _HOLDERS.get(type(obj).__name__)
    if holder in own and holder is not None:
        yield holder, own[holder]


def _of_kernel(obj: Any) -> Iterator[tuple[str, Any]]:
    yield "class", class_name(obj)
    yield "theta", obj.theta


def _copied(view: Any) -> Any:
    import numpy as np

    return np.asarray(view)


def _of_xgboost(obj: Any) -> list[tuple[str, Any]]:
    try:
        return [("booster", obj.get_booster().save_raw("json").decode())]
    except ValueError:
        # scikit-learn's NotFittedError, by the built-in class that it derives from.
        return []


def _attributes(*names: str) -> Any:
    return lambda obj: [(name, getattr(obj, name)) for name in names]


# In order. XGBoost's and LightGBM's wrappers keep the trees behind a method; their text is the same for the same trees.
_HOLDING: tuple[tuple[tuple[str, ...], Any], ...] = (
    (("children_left", "children_right", "threshold"), _attributes(*_TREE)),
    (("nodes", "binned_left_cat_bitsets"), _attributes("nodes")),
    (("get_arrays", "sample_weight", "data"), lambda obj: [("data", _copied(obj.data))]),
    (("calibrators", "estimator", "classes"), _attributes("estimator", "calibrators")),
    (("theta", "hyperparameters"), _of_kernel),
    (("knots_", "extrapolate"), _attributes("c")),
    (("extrapolate", "t", "c", "k"), _attributes("t", "c", "k")),
    (("state_dict", "named_parameters"), lambda obj: obj.state_dict().items()),
    (("get_weights", "count_params"), lambda obj: [("weights", obj.get_weights())]),
    (("get_booster", "fit"), _of_xgboost),
    (("booster_", "fit"), lambda obj: [("booster", obj.booster_.model_to_string())]),
)
