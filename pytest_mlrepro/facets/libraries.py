"""What the results rest on that is not the project's own: distributions, Python, native libraries, the machine."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlrepro.environment.spelling import UNKNOWN, normalized
from pytest_mlrepro.environment.variables import numeric_variables
from pytest_mlrepro.errors import RecordingError
from pytest_mlrepro.facets._protocol import Facet, Reach, same_value
from pytest_mlrepro.model import DEFAULT_TOLERANCE, Drift, Fact, Policy, Rung, Tolerance, Value
from pytest_mlrepro.redaction import redacted

if TYPE_CHECKING:
    from pytest_mlrepro.environment.blas import Pool
    from pytest_mlrepro.environment.devices import Device, Driver
    from pytest_mlrepro.environment.distributions import Distributions
    from pytest_mlrepro.environment.installed import Installed

_NOT_COUNTED = frozenset({"pytest", "pytest-mlrepro"})


class Libraries(Facet):
    """Distributions in use, and the runtime below them. Make one a session; what is installed is read once.

    The environment variables are those of the moment it is made: a test may set some for itself.

    What a drift leads to by default:

    =============================================  ====================================================
    key                                            policy
    =============================================  ====================================================
    a distribution, changed                        fail
    a distribution, added or removed               fail if the test's own code imports it, else note
    a module that no distribution provides         likewise, under its own name
    ``runtime.python``                             fail; note where only the patch release differs
    ``runtime.os``, ``cpu.architecture``           fail
    ``runtime.os_release``, ``runtime.libc``       note
    ``cpu.vendor``, ``cpu.model``, ``cpu.cores``,
    ``cpu.simd``, ``cpu.simd_torch``               note
    ``blas.*``, ``openmp.*``, changed              fail; note where only the kernels (``SkylakeX``) differ
    ``blas.*``, ``openmp.*``, added or removed     note: it follows from the distributions
    ``gpu.*`` (models, driver)                     note
    ``cuda.*``, ``cudnn.*``, ``cublas.*``,
    ``nccl.*``, ``rocm.*``                         fail: also whether a library computes on a GPU at all
    ``locks.*``, of the project                    note: what is installed has facts of its own
    ``env.*``                                      fail: somebody set it; note for ``LANG``, ``LC_ALL``,
                                                   ``TZ``, ``TOKENIZERS_PARALLELISM``,
                                                   ``LOKY_MAX_CPU_COUNT``, ``CUDA_LAUNCH_BLOCKING``, which
                                                   move no number by themselves
    =============================================  ====================================================

    Whoever takes a kernel or an instruction set away does it by a variable, which fails as such. What
    follows from the machine only explains: it heads the suspects of a result that moved.
    """

    name = "libraries"

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        root: Path | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        """Make a facet for one session.

        Args:
            environ: the environment variables; default those of the process now.
            root: the project's folder. Distributions installed from there as editable are the
                project's own code, which the facet ``source`` sees, and no libraries.
            secrets: patterns of variables that are secret, besides those that look it.
        """
        variables = numeric_variables(os.environ if environ is None else environ)
        self._variables = {name: redacted(name, value, secrets) for name, value in variables.items()}
        self._root = root.resolve() if root is not None else None
        self._strays: dict[str, str] = {}

    @cached_property
    def _distributions(self) -> Distributions:
        from pytest_mlrepro.environment.distributions import Distributions

        return Distributions.read()

    def provided(self, modules: Iterable[str]) -> frozenset[str]:
        """Normalized names of the distributions that provide these modules, given by dotted names.

        A module that is there and that no distribution provides goes by its own name. Left out: the standard
        library, pytest, its plugins, and the project itself.
        """
        modules = frozenset(modules)
        return frozenset(each.name for each in self._providers(modules)) | self._strays_among(modules)

    def used(self, modules: Iterable[str]) -> frozenset[str]:
        """The same, and what they require, directly or not, as far as that is installed and loaded."""
        modules = frozenset(modules)
        named = frozenset(self._providers(modules))
        used: dict[str, Installed] = {}
        waiting = list(named)
        while waiting:
            each = waiting.pop()
            if each.name not in used:
                used[each.name] = each
                waiting += self._required(each)
        found = frozenset(name for name, each in used.items() if each.modules or each in named)
        return found | self._strays_among(modules)

    def _strays_among(self, modules: Iterable[str]) -> frozenset[str]:
        tops = {module.partition(".")[0] for module in modules}
        unknown = [module for module in tops if not self._distributions.knows(module)]
        if not unknown:
            return frozenset()
        from pytest_mlrepro.environment.strays import is_stray

        found = {normalized(module): module for module in unknown if is_stray(module, self._root)}
        self._strays.update(found)
        return frozenset(found)

    def _providers(self, modules: Iterable[str]) -> Iterator[Installed]:
        for module in set(modules):
            yield from filter(self._counts, self._distributions.providers(module))

    def _required(self, installed: Installed) -> Iterator[Installed]:
        for name in installed.requires:
            each = self._distributions.get(name)
            if each is None or not self._counts(each):
                continue
            # One without modules only stands for those that it requires.
            if not each.modules or self._distributions.is_loaded(each, sys.modules):
                yield each

    def _counts(self, installed: Installed) -> bool:
        return not (
            installed.name in _NOT_COUNTED or installed.is_plugin_of_pytest or self._is_first_party(installed)
        )

    def _is_first_party(self, installed: Installed) -> bool:
        from pytest_mlrepro.environment.places import is_projects

        folder = installed.origin.folder
        if self._root is None or folder is None or installed.origin.text != "editable":
            return False
        return is_projects(folder.resolve(), self._root)

    def capture(self, distributions: Iterable[str], *, direct: Iterable[str] = ()) -> tuple[Fact, ...]:
        """One fact a distribution: its version, and where it came from if not from an index.

        Where the version is not known, or is the one that a module tells of itself, a note says why.

        Args:
            distributions: names, in any spelling.
            direct: those of them that the project's own code imports.
        """
        imported = frozenset(map(normalized, direct))
        return tuple(
            self._version(name, is_direct=name in imported)
            for name in sorted(set(map(normalized, distributions)))
        )

    def _version(self, name: str, *, is_direct: bool) -> Fact:
        value, detail = self._told(name)
        return Fact(self.name, name, value, detail={**({"direct": True} if is_direct else {}), **detail})

    def _told(self, name: str) -> tuple[str, Mapping[str, Value]]:
        """What is known of the version of a distribution or stray module, and what helps to understand it."""
        installed = self._distributions.running(name, self._root)
        if installed is None:
            module = self._strays.get(name)
            return _of_module(module, "no distribution provides it") if module else (UNKNOWN, {})
        if self._distributions.is_elsewhere(installed, self._root):
            module = min((installed.modules & sys.modules.keys()) - sys.stdlib_module_names)
            return _of_module(module, f"not imported from where {installed.version} is installed")
        return self._told_by_metadata(installed)

    def _told_by_metadata(self, installed: Installed) -> tuple[str, Mapping[str, Value]]:
        detail: dict[str, Value] = {}
        build = self._distributions.conda_build(installed)
        addition = f"conda {build}" if build else installed.origin.text
        if not build and installed.origin.sha256:
            detail["sha256"] = installed.origin.sha256
        if note := self._distributions.doubt(installed):
            detail["note"] = note
        return f"{installed.version} ({addition})" if addition else installed.version, detail

    def runtime(self, distributions: Iterable[str]) -> tuple[Fact, ...]:
        """Facts of Python, the operating system, the processor, native libraries, GPUs and variables.

        Args:
            distributions: those in use; native libraries that others brought are left out.
        """
        used = frozenset(map(normalized, distributions))
        facts = [*self._machine(), *self._pools(used), *self._accelerators(used)]
        facts += [Fact(self.name, f"env.{name}", value) for name, value in self._variables.items()]
        facts += [Fact(self.name, f"locks.{name}", told) for name, told in self._locks.items()]
        return tuple(sorted(facts, key=lambda fact: fact.key))

    @cached_property
    def _locks(self) -> Mapping[str, str]:
        """The digests of the lock files of package managers that the project keeps."""
        from pytest_mlrepro.environment.locks import locks

        return {} if self._root is None else locks(self._root)

    def _machine(self) -> Iterator[Fact]:
        from pytest_mlrepro.environment import cpu, runtime

        values: dict[str, Value] = {
            "runtime.python": runtime.python(),
            "runtime.os": runtime.operating_system(),
            "runtime.os_release": runtime.release(),
            "runtime.libc": runtime.libc(),
            "cpu.architecture": cpu.architecture(),
            "cpu.vendor": cpu.vendor(),
            "cpu.model": cpu.model(),
            "cpu.cores": cpu.cores(),
            "cpu.simd": cpu.numpy_simd(sys.modules),
            "cpu.simd_torch": cpu.torch_simd(sys.modules),
        }
        for key, value in values.items():
            if value:
                yield Fact(self.name, key, value)

    def _pools(self, used: frozenset[str]) -> Iterator[Fact]:
        from pytest_mlrepro.environment.blas import pools

        grouped: dict[str, list[Pool]] = defaultdict(list)
        for pool in pools():
            owner = self._distributions.owner(pool.file)
            if owner is None:
                # The system's own, or an environment manager's: known by its name alone.
                grouped[f"{pool.api}.{pool.name}"].append(pool)
            elif owner.name in used:
                grouped[f"{pool.api}.{owner.name}"].append(pool)
        for key, group in grouped.items():
            detail: dict[str, Value] = {"threads": _one_or_all(pool.threads for pool in group)}
            if any(pool.architecture for pool in group):
                detail["architecture"] = _one_or_all(pool.architecture for pool in group)
            yield Fact(self.name, key, ", ".join(map(str, group)), detail=detail)

    def _accelerators(self, used: frozenset[str]) -> Iterator[Fact]:
        from pytest_mlrepro.environment import accelerator

        devices: tuple[Device, ...] = ()
        nvidia = False
        for toolkit in accelerator.toolkits(sys.modules):
            owners = [
                each.name for each in self._distributions.providers(toolkit.module) if each.name in used
            ]
            nvidia = nvidia or bool(owners and "cuda" in toolkit.versions)
            # The same GPUs, whichever library tells; those that it does not see do not matter.
            devices = devices or (toolkit.devices if owners else ())
            for owner in owners:
                for what, version in toolkit.versions.items():
                    yield Fact(self.name, f"{what}.{owner}", version)
        if nvidia:
            yield self._driver_version()
            devices = devices or self._driver.devices
        for number, device in enumerate(devices):
            yield Fact(self.name, f"gpu.{number}", str(device))

    def _driver_version(self) -> Fact:
        driver = self._driver
        if driver.version:
            return Fact(self.name, "gpu.driver", driver.version)
        return Fact(self.name, "gpu.driver", UNKNOWN, detail={"note": driver.problem})

    @cached_property
    def _driver(self) -> Driver:
        from pytest_mlrepro.environment.devices import nvidia_driver

        return nvidia_driver()

    def rung(self, baseline: Fact, current: Fact, default: Tolerance) -> Rung:
        """Equal, where versions are equal as PEP 440 has it: 1.0 is 1.0.0."""
        if same_value(baseline.value, current.value):
            return "identical"
        from pytest_mlrepro.facets._library_drifts import is_same_version

        is_version = "." not in current.key
        return "identical" if is_version and is_same_version(baseline.value, current.value) else "drift"

    def default_policy(self, drift: Drift) -> Policy:
        """See the table in the description of this class."""
        from pytest_mlrepro.facets._library_drifts import policy

        return policy(drift)

    def reach(self, drift: Drift) -> Reach:
        """Nowhere: names of the system, variables that move no number, requirements that come and go.

        In the last digits: what follows from the machine, but for what networks are trained with, which make more of
        it.
        """
        from pytest_mlrepro.facets._library_drifts import reach

        return reach(drift)

    def explain(self, drift: Drift, default: Tolerance = DEFAULT_TOLERANCE) -> str:
        """What changed: ``numpy 2.4.5 -> 2.4.6``, ``PYTHONHASHSEED was '0', is not set``."""
        from pytest_mlrepro.facets._library_drifts import sentence

        return sentence(drift)


def _of_module(module: str, note: str) -> tuple[str, Mapping[str, Value]]:
    from pytest_mlrepro.environment.strays import told_version

    told = told_version(module)
    return f"{told} (no distribution)" if told else UNKNOWN, {"note": note}


def version_of(name: str) -> str:
    """The version of an installed distribution.

    Args:
        name: of the distribution, in any spelling.

    Raises:
        RecordingError: if it is not installed.
    """
    from pytest_mlrepro.environment.distributions import Distributions

    distributions = Distributions.read()
    installed = distributions.get(name)
    if installed is not None:
        return installed.version
    providers = distributions.providers(name)
    raise RecordingError(
        f"the distribution {name!r} is not installed",
        remedy=f"the module {name} comes from {' or '.join(repr(each.name) for each in providers)}: name that"
        if providers
        else f"install it (pip install {name}), or correct its name",
    )


def _one_or_all(values: Iterable[Value]) -> Value:
    found = tuple(values)
    return found[0] if len(found) == 1 else found
