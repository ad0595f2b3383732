"""What a large array is measured by while it is at hand: the tolerance in effect, and the baseline's sketch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

from pytest_mlrepro.model import DEFAULT_TOLERANCE, Fact, Facts, Tolerance

_NOTHING: Facts = MappingProxyType({})

BITS: Mapping[int, int] = MappingProxyType({4096: 3, 16384: 2, 65536: 1})
"""How many bits a sketch keeps of each cell, by the largest number of cells; of more cells there is none."""

BITS_OF_A_MODEL: Mapping[int, int] = MappingProxyType({4096: 2})
"""The same for what a model has learnt, which may be hundreds of arrays."""


class Yardstick(NamedTuple):
    """What the results of a subject are measured by.

    Attributes:
        accepted: the facts of its baseline, by address.
        marked: the tolerance of its marker, for floats without one of their own.
        default: the project's, for floats that have neither.
    """

    accepted: Facts = _NOTHING
    marked: Tolerance | None = None
    default: Tolerance = DEFAULT_TOLERANCE

    def laid_on(self, fact: Fact, array: Any, bits: Mapping[int, int] = BITS) -> Fact:
        """The fact of a large numeric array with its sketch, and how near the array is to its baseline's.

        Args:
            fact: what was recorded of the array; any other fact than of a large numeric array is given back as it is.
            array: the array itself.
            bits: see ``BITS``.
        """
        from pytest_mlrepro.facets._closeness import in_effect, is_summarised, scale_of

        if not is_summarised(fact):
            return fact
        import numpy as np

        from pytest_mlrepro.facets._arrays import flattened
        from pytest_mlrepro.facets._sketch import SKETCH, nearness, sketch

        flat = flattened(array)
        flat = np.where(np.isfinite(flat), flat, 0.0)
        kept = next((bits[most] for most in sorted(bits) if len(flat) <= most), 0)
        if kept:
            width = in_effect(fact.tolerance or self.marked, fact.dtype, self.default).width(scale_of(fact))
            made = sketch(flat, width, kept)
            fact = replace(fact, detail={**fact.detail, SKETCH: made.text()}) if made else fact
        known = self.accepted.get(fact.address)
        return replace(fact, nearness=nearness(flat, known.detail.get(SKETCH))) if known else fact
