"""The changes that must not change a result: what each does, what it finds, and what helps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from pytest_mlrepro.replay import Change
from pytest_mlrepro.steadiness import HOLDS, Hold
from pytest_mlrepro.stress.machine import Machine

PROCESS, ORDER, ALONE = "process", "order", "alone"
TUNABLES = "GLIBC_TUNABLES"

_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "LOKY_MAX_CPU_COUNT",
)
_MANY = 3
_HASH_SEEDS = ("4242", "97")
_WITHOUT_FMA = "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX2_Usable,-FMA_Usable,-FMA4_Usable"
_POISON = "165"
_LEFT = "what another test leaves behind: module-level state, a shared object that is changed, an unpinned fixture"
_OWN = "let each test make what it changes; let fixtures of higher scope ask for mlrepro, which pins them"
_OLDER = ("Haswell", "Nehalem")


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One change that is made alone, and with all others at once.

    Attributes:
        name: as settings and reports call it.
        what: the change, as it follows "under".
        source: what a difference most likely comes from.
        remedy: what to do about it.
        change: what the replay is told.
        hold: what must hold under it.
        lacking: why it cannot be made here; empty where it can.
        expected: of a library for linear algebra, what it must have loaded; empty where that is not asked.
    """

    name: str
    what: str
    source: str
    remedy: str
    change: Change = field(default_factory=Change)
    hold: Hold = "bitwise"
    lacking: str = ""
    expected: str = ""


def clean(machine: Machine, guard: str | None) -> Change:
    """The replay that all others are compared with: one thread, a fixed hash seed, unpinned randomness as it comes.

    With more threads some libraries differ from one run to the next in their last digits; that is for ``threads`` to
    find.

    Args:
        machine: the conditions here.
        guard: the mode of the entropy guard that the project has set.
    """
    variables = {"PYTHONHASHSEED": machine.hash_seed, **dict.fromkeys(_THREADS, "1")}
    return Change(options=(f"--mlrepro-guard={'pin' if guard == 'pin' else 'warn'}",)).setenv(variables)


def pinned(base: Change) -> Change:
    """The same, with the same entropy in every run."""
    return replace(base, options=("--mlrepro-guard=pin",))


def together(perturbations: Iterable[Perturbation]) -> Change:
    """All of them at once."""
    return reduce(_both, (each.change for each in perturbations), Change())


def only(tests: Sequence[str]) -> Change:
    """These tests, in this order, and no others."""
    return Change(perturbations=(f"only:{json.dumps(list(tests))}",))


def _both(one: Change, other: Change) -> Change:
    tunables = [dict(each.variables).get(TUNABLES) for each in (one, other)]
    joined = ":".join(each for each in tunables if each)
    return other.over(one).setenv({TUNABLES: joined} if joined else {})


def catalogue(machine: Machine, holds: Mapping[str, Hold]) -> tuple[Perturbation, ...]:
    """Every change, with what a project says must hold under it.

    Args:
        machine: the conditions here.
        holds: by name; where one is missing its default holds.
    """
    made = {each.name: each for each in (*_bitwise(machine), *_rounding(machine))}
    return tuple(replace(made[name], hold=holds.get(name, hold)) for name, hold in HOLDS.items())


def _bitwise(machine: Machine) -> Iterable[Perturbation]:
    yield Perturbation(
        PROCESS,
        "nothing but a fresh process",
        "something that no seed decides and the guard cannot see: the order of objects by their addresses (id(), a set "
        "of objects), the clock, a process of its own, or a generator in compiled code",
        "sort by a key that is the same in every process; pass seeds to compiled libraries",
        Change(repeat=1),
    )
    yield Perturbation(
        "hash",
        "another PYTHONHASHSEED",
        "the order of a set of texts, or hash() of a text",
        "sort what comes out of a set: sorted(words); take a digest (hashlib) in the place of hash()",
        Change().setenv({"PYTHONHASHSEED": next(s for s in _HASH_SEEDS if s != machine.hash_seed)}),
    )
    yield Perturbation(
        "listing",
        "reversed listings of folders",
        "the order in which the system lists a folder: os.listdir, os.scandir, glob, Path.iterdir",
        "sort it: sorted(folder.iterdir())",
        Change(perturbations=("listing",)),
    )
    poison, lacking = _memory(machine)
    yield Perturbation(
        "memory",
        "other contents of fresh memory",
        "memory that is read before it is written: numpy.empty, or a buffer in compiled code",
        "take numpy.zeros or numpy.full in the place of numpy.empty, or fill every element",
        Change(perturbations=("memory",)).setenv(poison),
        lacking=lacking,
    )
    yield Perturbation(
        "timezone",
        "another time zone",
        "local time: datetime.now(), fromtimestamp() or time.localtime() without a zone",
        "name the zone: datetime.fromtimestamp(seconds, tz=timezone.utc)",
        Change().setenv({"TZ": _zone(machine)}),
        lacking="Windows takes it from no variable" if machine.system == "win32" else "",
    )
    yield Perturbation(
        "locale",
        "another locale",
        "what follows the language of the user: sorting by locale, names of days and months, encodings of files",
        'name it: open(path, encoding="utf-8"); sort texts by themselves',
        Change().setenv({"LC_ALL": machine.locale or None, "LANGUAGE": None}),
        lacking="" if machine.locale else "no other locale is installed",
    )
    yield Perturbation(
        "folder",
        "another working folder and folder for temporary files",
        "a path that is taken from the working folder, or one that gets into a result",
        "start from the test's own file: Path(__file__).parent",
        Change(elsewhere=True),
    )
    yield Perturbation(
        ORDER,
        "the tests in reverse order",
        _LEFT,
        _OWN,
        Change(perturbations=("order",)),
    )
    yield Perturbation(
        ALONE,
        "the test run alone",
        _LEFT,
        _OWN,
    )
    yield Perturbation(
        "offset",
        "a number drawn from each global generator before each import and each test",
        "draws from a global generator where nothing pins it: in the body of a module, or in a fixture of a test that "
        "does not ask for mlrepro",
        "draw inside the test or in a fixture that asks for mlrepro, or from a generator with a seed of its own",
        Change(perturbations=("offset",)),
    )


def _rounding(machine: Machine) -> Iterable[Perturbation]:
    yield Perturbation(
        "threads",
        f"{_MANY} threads instead of one",
        "a sum whose order follows the number of threads (BLAS, OpenMP), or work that is split by it",
        "split the work by a fixed number; if it is rounding that training amplifies, fix the number of threads "
        "(OMP_NUM_THREADS) wherever results are compared, or give the metric a tolerance",
        # In the clean replay whoever asks is told of all cores: somebody may take one away from them.
        Change(perturbations=(f"cores:{_MANY if machine.cores != _MANY else _MANY + 2}",)).setenv(
            dict.fromkeys(_THREADS, str(_MANY))
        ),
    )
    x86 = machine.processor == "x86_64"
    instructions: dict[str, str | None] = {"ATEN_CPU_CAPABILITY": "default"}
    if machine.simd:
        instructions["NPY_DISABLE_CPU_FEATURES"] = ",".join(machine.simd)
    if machine.glibc and x86:
        instructions[TUNABLES] = _WITHOUT_FMA
    yield Perturbation(
        "simd",
        "older instruction sets in numpy, torch and the mathematical library",
        "a number that follows from the last digits of others: a tie that is broken, a threshold, an optimiser that "
        "amplifies rounding, argsort of equal values",
        'break ties by rule (argsort(kind="stable")); round before you compare; or give the metric a tolerance',
        Change().setenv(instructions),
    )
    kernel, lacking = _kernel(machine)
    compatible = {"MKL_CBWR": "COMPATIBLE", "ONEDNN_MAX_CPU_ISA": "SSE41"} if x86 else {}
    yield Perturbation(
        "blas",
        "another processor's kernels for linear algebra",
        "rounding in matrix products, which an optimiser, a tie or the sign of a component amplifies",
        "give the metric a tolerance; record components with up_to_sign=True; make the optimiser converge",
        Change().setenv({**({"OPENBLAS_CORETYPE": kernel} if kernel else {}), **compatible}),
        lacking=lacking,
        expected=kernel,
    )
    yield Perturbation(
        "layout",
        "the other order in memory of what mlrepro.data() gives back",
        "rounding in sums over rows or columns, which an optimiser amplifies",
        "hand the model one order, numpy.ascontiguousarray(X); scale the columns, so that the optimiser converges",
        Change(perturbations=("layout",)),
    )


def _memory(machine: Machine) -> tuple[dict[str, str | None], str]:
    """The variables that fill memory, and why there are none."""
    if machine.glibc:
        return {"MALLOC_PERTURB_": _POISON, TUNABLES: f"glibc.malloc.perturb={_POISON}"}, ""
    if machine.system == "darwin":
        return {"MallocPreScribble": "1", "MallocScribble": "1"}, ""
    # What numpy.empty gives is filled all the same.
    return {}, ""


def _zone(machine: Machine) -> str:
    """A zone at least ten hours from here."""
    if machine.ahead > 0:
        return "Pacific/Honolulu" if machine.zones else "HST10"
    return "Pacific/Kiritimati" if machine.zones else "LINT-14"


def _kernel(machine: Machine) -> tuple[str, str]:
    """The kernels to ask OpenBLAS for, and why none can be asked for."""
    if "openblas" not in machine.blas:
        known = machine.processor == "x86_64" and "mkl" in machine.blas
        return "", "" if known else f"{', '.join(machine.blas) or 'numpy'} has no choice of kernels"
    if machine.processor == "x86_64":
        used = {kernel.lower() for kernel in machine.kernels}
        return next(kernel for kernel in _OLDER if kernel.lower() not in used or kernel == _OLDER[-1]), ""
    if "armv8" in {kernel.lower() for kernel in machine.kernels}:
        return "", "OpenBLAS has chosen the oldest kernels already"
    return "ARMV8", ""
