"""The first compiled call beside the eager call: time and peak memory, each in a process of its own.

python tools/first_call.py [name ...]
"""

import itertools
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import autotiny as at
from autotiny import nn

Work = tuple[Callable[..., Any], tuple[Any, ...]]
ROUNDS = 2
TIMES, BYTES = 5.0, 2.0
"""The largest multiples of the eager call that are allowed, beside the fixed costs of a program."""
FIXED_SECONDS, FIXED_BYTES = 0.1, 8e6


# ----- works -----
def chain(n: int, dtype: Any = float) -> Work:
    """A sum over a long chain of elementwise operations."""

    def f(x: Any) -> Any:
        return np.sum(np.tanh(x * 1.5) * np.exp(-x * x) + np.sqrt(x * x + 1.0) - np.log1p(np.exp(-x)))

    return at.value_and_grad(f), (np.random.default_rng(0).normal(size=n).astype(dtype),)


def masked(n: int) -> Work:
    """A chain with choices, of which gradients may have to be kept from what was not taken."""

    def f(x: Any) -> Any:
        return np.sum(np.where(x > 0, np.sqrt(np.abs(x) + 1e-3), np.maximum(x, -1.0) * x) + np.clip(x, -0.5, 0.5))

    return at.value_and_grad(f), (np.random.default_rng(0).normal(size=n),)


def spoilt(n: int) -> Work:
    """A chain of which an entry that is not taken has an infinite derivative, at the first call already."""

    def f(x: Any) -> Any:
        return np.sum(np.where(x > 0, np.sqrt(np.maximum(x, 0.0)), x))

    x = np.random.default_rng(0).normal(size=n)
    x[0] = 0.0
    return at.value_and_grad(f), (x,)


@at.operation(lambda g, y, x: g * np.cos(x))
def own_sine(x: Any) -> Any:
    """An operation of the user's own, of which nothing is known but its value."""
    return np.sin(x)


def own(n: int) -> Work:
    """A chain with an operation of the user's own, so that values are computed."""
    return at.value_and_grad(lambda x: np.sum(np.tanh(own_sine(np.exp(-x * x))) * x)), (
        np.random.default_rng(0).normal(size=n),
    )


def transformed(n: int) -> Work:
    """A filter by the Fourier transform, whose shape is not inferred."""
    return at.value_and_grad(lambda x: np.sum(np.fft.irfft(np.fft.rfft(np.tanh(x)) * 0.5) ** 2)), (
        np.random.default_rng(0).normal(size=n),
    )


def forward(n: int) -> Work:
    """The same chain without a gradient."""
    f, args = chain(n)
    return f.__wrapped__, args  # type: ignore[attr-defined]


def network(*sizes: int, m: int, softmax: bool = True) -> Work:
    """A network of layers with relu, softmax written out and cross-entropy, by the user's own NumPy."""
    rng = np.random.default_rng(0)
    parameters = [(rng.normal(size=(b, a)) / a**0.5, np.zeros((b, 1))) for a, b in itertools.pairwise(sizes)]
    X, Y = rng.normal(size=(sizes[0], m)), at.one_hot(rng.integers(0, sizes[-1], m), sizes[-1])

    def loss(parameters: Any, X: Any, Y: Any) -> Any:
        A = X
        for i, (W, b) in enumerate(parameters):
            Z = W @ A + b
            A = np.maximum(Z, 0) if i < len(parameters) - 1 else Z
        E = np.exp(A)
        return -np.sum(Y * np.log(E / np.sum(E, axis=0, keepdims=True))) / m

    return at.value_and_grad(loss), (parameters, X, Y)


def softmax_written_out(m: int, n: int) -> Work:
    """A stable softmax, line by line, and its cross-entropy."""

    def f(Z: Any, Y: Any) -> Any:
        Z = Z - np.max(Z, axis=1, keepdims=True)
        E = np.exp(Z)
        P = E / np.sum(E, axis=1, keepdims=True)
        return -np.mean(np.sum(Y * np.log(P), axis=1))

    rng = np.random.default_rng(0)
    return at.value_and_grad(f), (rng.normal(size=(m, n)), at.one_hot(rng.integers(0, n, m), n).T.copy())


def layer_norm(m: int, n: int) -> Work:
    """Layer normalisation, written out, and a square loss."""

    def f(parameters: Any, x: Any) -> Any:
        gain, shift = parameters
        centred = x - np.mean(x, axis=-1, keepdims=True)
        y = gain * centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5) + shift
        return np.sum(y * np.tanh(y))

    rng = np.random.default_rng(0)
    return at.value_and_grad(f), ((np.ones(n), np.zeros(n)), rng.normal(size=(m, n)))


def deviations(m: int, n: int) -> Work:
    """Layer normalisation by np.std."""

    def f(x: Any) -> Any:
        y = (x - x.mean(axis=-1, keepdims=True)) / (x.std(axis=-1, keepdims=True) + 1e-5)
        return np.sum(y * np.tanh(y))

    return at.value_and_grad(f), (np.random.default_rng(0).normal(size=(m, n)),)


def attention(b: int, t: int, d: int) -> Work:
    """One head of attention, written out."""

    def f(parameters: Any, x: Any) -> Any:
        q, k, v = (x @ W for W in parameters)
        scores = np.einsum("bid,bjd->bij", q, k) / d**0.5
        scores = np.where(np.tri(t, dtype=bool), scores, -np.inf)
        E = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
        return np.sum(((E / np.sum(E, axis=-1, keepdims=True)) @ v) ** 2)

    rng = np.random.default_rng(0)
    return at.value_and_grad(f), ([rng.normal(size=(d, d)) / d**0.5 for _ in range(3)], rng.normal(size=(b, t, d)))


def convolutional(m: int) -> Work:
    """Two convolutions with pooling, and a linear layer."""
    rng = np.random.default_rng(0)
    parameters = [rng.normal(size=shape) * 0.1 for shape in ((8, 1, 3, 3), (16, 8, 3, 3), (10, 16 * 5 * 5))]
    Y = at.one_hot(rng.integers(0, 10, m), 10)

    def loss(parameters: Any, X: Any, Y: Any) -> Any:
        first, second, W = parameters
        A = nn.max_pool(np.maximum(nn.conv2d(X, first), 0), 2)
        A = nn.max_pool(np.maximum(nn.conv2d(A, second), 0), 2)
        return at.cross_entropy(W @ A.reshape(-1, m), Y)

    return at.value_and_grad(loss), (parameters, rng.normal(size=(1, 28, 28, m)), Y)


WORKS: dict[str, Callable[[], Work]] = {
    "chain 10^6": lambda: chain(10**6),
    "chain 10^7": lambda: chain(10**7),
    "chain 10^6 float32": lambda: chain(10**6, np.float32),
    "masked chain 10^6": lambda: masked(10**6),
    "spoilt chain 10^6": lambda: spoilt(10**6),
    "own operation 10^6": lambda: own(10**6),
    "Fourier 2^20": lambda: transformed(2**20),
    "forward chain 10^7": lambda: forward(10**7),
    "4-16-3 m=32": lambda: network(4, 16, 3, m=32),
    "784-128-10 m=256": lambda: network(784, 128, 10, m=256),
    "784-1024-10 m=1024": lambda: network(784, 1024, 10, m=1024),
    "five layers m=1024": lambda: network(256, 512, 512, 512, 512, 10, m=1024),
    "softmax 10^4 x 100": lambda: softmax_written_out(10**4, 100),
    "layer norm 10^4 x 256": lambda: layer_norm(10**4, 256),
    "std 10^4 x 256": lambda: deviations(10**4, 256),
    "attention 16 x 128 x 64": lambda: attention(16, 128, 64),
    "conv m=128": lambda: convolutional(128),
}


# ----- measuring, in a process of its own -----
def measure(name: str, compiled: bool, traced: bool) -> tuple[float, float]:
    """Return the seconds and the bytes of a first call, compiled or eager."""
    small, args = chain(10)
    (at.compile(small) if compiled else small)(*args)  # loads what is loaded at the first use
    f, args = WORKS[name]()
    call = at.compile(f) if compiled else f
    if traced:
        tracemalloc.start()
    before, start = resident_bytes(), time.perf_counter()
    result = call(*args)
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1] if traced else peak_bytes() - before
    del result
    return seconds, peak


def resident_bytes() -> int:
    """Return the bytes that the process has in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def peak_bytes() -> int:
    """Return the most bytes that the process has had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def in_process(name: str, compiled: bool, traced: bool) -> tuple[float, float]:
    """Return what `measure` returns in a fresh process."""
    command = [sys.executable, __file__, "--measure", name, str(int(compiled)), str(int(traced))]
    seconds, size = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(size)


def compare(name: str) -> list[float]:
    """Return times, resident bytes and allocated bytes, each of the eager call and of the compiled one."""
    calls = [[in_process(name, compiled, traced=False) for compiled in (False, True)] for _ in range(ROUNDS)]
    times = [min(call[i][0] for call in calls) for i in (0, 1)]
    resident = [min(call[i][1] for call in calls) for i in (0, 1)]
    allocated = [in_process(name, compiled, traced=True)[1] for compiled in (False, True)]
    return [*times, *resident, *allocated]


def main(names: list[str]) -> None:
    """Print a table of the works; a mark stands where the compiled call takes more than it may."""
    print(f"{'':24}{'eager, compiled in ms':>26}{'resident MB':>26}{'allocated MB':>26}")
    for name in names or WORKS:
        line = f"{name:24}"
        eager_and_compiled = compare(name)
        limits = ((1e-3, TIMES, FIXED_SECONDS), (1e6, BYTES, FIXED_BYTES), (1e6, BYTES, FIXED_BYTES))
        for i, (unit, limit, fixed) in enumerate(limits):
            eager, compiled = eager_and_compiled[2 * i : 2 * i + 2]
            mark = " !" if compiled > limit * eager + fixed else "  "
            line += f"{eager / unit:9.1f} {compiled / unit:8.1f} {compiled / max(eager, 1e-9):5.1f}{mark}"
        print(line, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(*measure(sys.argv[2], bool(int(sys.argv[3])), bool(int(sys.argv[4]))))
    else:
        main(sys.argv[1:])
