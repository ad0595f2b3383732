"""One small seeder for each library that keeps random generators of its own in the process."""

from __future__ import annotations

import sys
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from pytest_mlrepro.seeding.python_random import PythonRandom

if TYPE_CHECKING:
    from pytest_mlrepro.seeding.jitted import Jitted
    from pytest_mlrepro.seeding.mersenne import Mersenne


class Seeder:
    """Pins the global generators of one library. A new one is a subclass and a line in ``seeders()``.

    Give a name and a method ``pin``; where the library lets its state be read, ``save`` and ``restore`` too.
    No method imports anything: each is given the library, and is called only once that has been imported.

    Attributes:
        name: what the receipt calls the library.
        module: the module whose import makes the generators.
        needs: attributes without which the module is a stand-in for the library, and is left alone.
    """

    name: ClassVar[str]
    module: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()

    def library(self) -> ModuleType | None:
        """The library's module; None while it is not imported, or not yet completely."""
        module: Any = sys.modules.get(self.module)
        if module is None:
            return None
        # Any look at a module of importlib.util.LazyLoader would import it.
        if not isinstance(module, ModuleType) or type(module).__module__ == "importlib.util":
            return None
        if getattr(module.__spec__, "_initializing", False):
            return None
        return module if self.usable(module) else None

    def usable(self, library: Any) -> bool:
        """Whether there is anything to pin in the module."""
        for name in self.needs:  # noqa: SIM110 - a generator takes three times as long, and each pin asks
            if not hasattr(library, name):
                return False
        return True

    def pin(self, library: Any, seed: int) -> None:
        """Seed every global generator of the library, ``0 <= seed < 2**32``."""
        raise NotImplementedError

    def save(self, library: Any) -> object:
        """The exact state of the generators; None where the library does not let it be read."""
        return None

    def restore(self, library: Any, state: Any) -> None:
        """Put back a state that ``save`` gave, None excepted."""


class Random(Seeder):
    """The standard library's global generator."""

    name = module = "random"
    needs = ("seed", "getstate", "setstate")

    def __init__(self) -> None:
        self._generator = PythonRandom()

    def pin(self, library: Any, seed: int) -> None:
        """``random.seed``."""
        self._generator.seed(library, seed)

    def save(self, library: Any) -> object:
        """A ``Saved``."""
        return self._generator.state(library)

    def restore(self, library: Any, state: Any) -> None:
        """Put back a ``Saved``."""
        self._generator.put_back(library, state)


class Numpy(Seeder):
    """numpy's global state: the stream behind ``np.random.rand`` and ``random_state=None``."""

    name = "numpy"
    # numpy imports it on first use, and only its import makes the global state.
    module = "numpy.random"
    needs = ("seed", "get_state", "set_state", "MT19937", "mtrand")

    @cached_property
    def _mersenne(self) -> Mersenne:
        from pytest_mlrepro.seeding.mersenne import Mersenne

        return Mersenne()

    def pin(self, library: Any, seed: int) -> None:
        """``np.random.seed``."""
        self._mersenne.seed(library, seed)

    def save(self, library: Any) -> object:
        """A ``Saved``."""
        return self._mersenne.state(library)

    def restore(self, library: Any, state: Any) -> None:
        """Put back a ``Saved``."""
        self._mersenne.put_back(library, state)


class Torch(Seeder):
    """torch's default generators: CPU, and of CUDA, XPU and MPS what is in use.

    A device that is not in use yet is never initialised here: torch keeps the seed until it is.
    A device that came into use after ``save`` has no state to go back to.
    """

    name = module = "torch"
    needs = ("manual_seed", "get_rng_state", "set_rng_state")
    _devices = ("cuda", "xpu")

    def pin(self, library: Any, seed: int) -> None:
        """``torch.manual_seed``, or only its part for the CPU where torch was built for no other device."""
        accelerator = getattr(library, "accelerator", None)
        if accelerator is not None and accelerator.current_accelerator() is None:
            # The whole would note the call's stack for each device that might start later: a millisecond.
            library.default_generator.manual_seed(seed)
        else:
            library.manual_seed(seed)

    def save(self, library: Any) -> object:
        """States by device."""
        states = {"cpu": library.get_rng_state()}
        for name in self._devices:
            device = getattr(library, name, None)
            if device is not None and device.is_initialized():
                states[name] = device.get_rng_state_all()
        if hasattr(library, "mps") and library.backends.mps.is_available():
            states["mps"] = library.mps.get_rng_state()
        return states

    def restore(self, library: Any, state: Any) -> None:
        """Put back states by device."""
        library.set_rng_state(state["cpu"])
        for name in self._devices:
            if name in state:
                getattr(library, name).set_rng_state_all(state[name])
        if "mps" in state:
            library.mps.set_rng_state(state["mps"])


class Tensorflow(Seeder):
    """tensorflow's global seed, which also starts the counters of its operations anew.

    Neither the seed nor the counters can be read back, so nothing is restored. A global
    ``tf.random.Generator`` that somebody made keeps its state: it is an object, and seeded by who makes it.
    """

    name = module = "tensorflow"
    needs = ("random",)

    def pin(self, library: Any, seed: int) -> None:
        """``tf.random.set_seed``."""
        library.random.set_seed(seed)


class Keras(Seeder):
    """The seed generator that keras shares between layers; it cannot be read back, so nothing is restored."""

    name = module = "keras"
    needs = ("utils",)

    def pin(self, library: Any, seed: int) -> None:
        """``keras.utils.set_random_seed``."""
        # keras seeds these two as well: imported in mid-test, it would start their streams again.
        python, numpy = sys.modules["random"], sys.modules["numpy.random"]
        states = python.getstate(), numpy.get_state()
        library.utils.set_random_seed(seed)
        python.setstate(states[0])
        numpy.set_state(states[1])


class Jax(Seeder):
    """jax has no global generator, its keys are explicit: nothing to pin, only to be named in the receipt."""

    name = module = "jax"
    needs = ("random",)

    def pin(self, library: Any, seed: int) -> None:
        """Nothing to do."""


class Cupy(Seeder):
    """CuPy's generator of the current device, where there is a device.

    Its state cannot be read, but the generator can be exchanged: pinning puts another one
    in its place, restoring puts it back.
    """

    name = module = "cupy"
    needs = ("random", "cuda")

    def usable(self, library: Any) -> bool:
        """Only where there is a device."""
        return super().usable(library) and bool(library.cuda.is_available())

    def pin(self, library: Any, seed: int) -> None:
        """A new generator, made from the seed."""
        library.random.set_random_state(library.random.RandomState(seed))

    def save(self, library: Any) -> object:
        """The generator in use."""
        return library.random.get_random_state()

    def restore(self, library: Any, state: Any) -> None:
        """Use a generator again."""
        library.random.set_random_state(state)


class Polars(Seeder):
    """polars' global seed; its state cannot be read back, so nothing is restored."""

    name = module = "polars"
    needs = ("set_random_seed",)

    def pin(self, library: Any, seed: int) -> None:
        """``pl.set_random_seed``."""
        library.set_random_seed(seed)


class Numba(Seeder):
    """The generators of compiled code, which ``np.random.seed`` does not reach, in the thread that pins.

    Those of the threads of a parallel loop are their own: they stay unpinned.
    """

    name = module = "numba"
    needs = ("njit",)

    @cached_property
    def _jitted(self) -> Jitted:
        from pytest_mlrepro.seeding.jitted import Jitted

        return Jitted()

    def usable(self, library: Any) -> bool:
        """Only where numba has the helpers that its own tests use."""
        return super().usable(library) and hasattr(_numba_helpers(), "rnd_seed")

    def pin(self, library: Any, seed: int) -> None:
        """As ``np.random.seed`` and ``random.seed`` in compiled code, without compiling any."""
        self._jitted.seed(_numba_helpers(), seed)

    def save(self, library: Any) -> object:
        """Two ``Twister``."""
        return self._jitted.state(_numba_helpers())

    def restore(self, library: Any, state: Any) -> None:
        """Put them back."""
        self._jitted.put_back(_numba_helpers(), state)


def _numba_helpers() -> Any:
    return sys.modules.get("numba._helperlib")


def seeders() -> tuple[Seeder, ...]:
    """A new seeder for each library that is known here."""
    return (Random(), Numpy(), Torch(), Tensorflow(), Keras(), Jax(), Cupy(), Polars(), Numba())
