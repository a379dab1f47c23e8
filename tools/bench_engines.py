"""The engines that are timed, each loaded only in a process of its own."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, NamedTuple

from bench_sides import Side
from bench_works import Problem, Work


class Engine(NamedTuple):
    """A row of the table: its name, the module and table of its sides, the libraries that it needs."""

    name: str
    module: str
    table: str = "SIDES"
    needs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("step", "function", "scalars")
    options: Mapping[str, str] = {}
    is_limit: bool = False
    """Whether it is a part of the work alone, so that its numbers are not those of the whole."""

    def missing(self) -> list[str]:
        """Return the libraries that it needs and that are not installed."""
        return [library for library in self.needs if find_spec(library) is None]

    def does(self, work: Work) -> bool:
        """Whether the engine is timed on a work."""
        return work.problem.kind in self.kinds

    def load(self) -> Any:
        """Import what the engine needs; return its sides, by the class of the problem."""
        for library in self.needs:
            import_module(library)
        return getattr(import_module(self.module), self.table)

    def side(self, problem: Problem) -> Side | None:
        """Return the engine's side of a problem, None if it has none."""
        factory = self.load().get(type(problem))
        return factory and factory(problem, **self.options)


SPELLINGS = ["log softmax", "written out"]


def autotiny() -> Iterator[Engine]:
    """Yield autotiny's engines: eager and each back end; then the same for the other spellings of the cost."""
    engines = [
        Engine("autotiny eager", "bench_autotiny", options={"backend": ""}),
        Engine("autotiny numpy", "bench_autotiny", options={"backend": "numpy"}),
        Engine("autotiny numba", "bench_autotiny", needs=("numba", "scipy"), options={"backend": "numba"}),
    ]
    yield from engines
    for spelling in SPELLINGS:
        for engine in engines:
            options = {**engine.options, "cost": spelling}
            yield engine._replace(name=f"{engine.name}, {spelling}", kinds=("step",), options=options)


ENGINES = [
    Engine("NumPy by hand", "bench_numpy"),
    Engine("its products alone", "bench_numpy", "PRODUCTS", kinds=("step",), is_limit=True),
    Engine("its memory traffic alone", "bench_numpy", "TRAFFIC", kinds=("step", "function"), is_limit=True),
    *autotiny(),
    Engine("PyTorch", "bench_tapes", "TORCH", ("torch",)),
    Engine("JAX jit", "bench_functional", "JAX", ("jax",)),
    Engine("PyTensor", "bench_functional", "PYTENSOR", ("pytensor",), ("step", "function")),
    Engine("autograd", "bench_functional", "AUTOGRAD", ("autograd",)),
    Engine("MyGrad", "bench_tapes", "MYGRAD", ("mygrad",), ("step", "function")),
    Engine("micrograd", "bench_tapes", "MICROGRAD", ("micrograd",), ("scalars",)),
]


def versions() -> dict[str, str]:
    """Return the versions of the installed libraries."""
    libraries = dict.fromkeys(["numpy", *(library for engine in ENGINES for library in engine.needs)])
    return {library: version(library) for library in libraries if find_spec(library)}
