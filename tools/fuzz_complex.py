"""Hold gradients of random programs on real and complex numbers against PyTorch, whose convention is the same.

    python tools/fuzz_complex.py [--minutes M] [--seed S]

A program is a list of lines, each an operation on earlier values, real or complex, which broadcast to 3 by 3. The tests
hold the same programs against differences of real and imaginary parts.
"""

import argparse
import random
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

import autotiny as at

ONE = {  # in NumPy and in PyTorch, where that differs by more than the module's name
    "np.exp({})": "", "np.sin({})": "", "np.cos({})": "", "np.sinh({})": "", "np.cosh({})": "", "np.tanh({} / 2)": "",
    "np.sqrt({} + 2)": "", "np.log({} + 4)": "", "np.log1p({} / 2)": "", "np.expm1({})": "", "np.log2({} + 4)": "",
    "np.arcsin({} / 2)": "", "np.arccos({} / 2)": "", "np.arctan({} / 2)": "", "np.arcsinh({})": "",
    "np.arccosh({} + 3)": "", "np.arctanh({} / 2)": "", "np.conj({})": "np.conj({}) + 0", "np.real({})": "",
    "np.imag({} + 0j)": "", "np.abs({} + 0.3)": "", "np.angle({} + 2)": "", "np.sign({} + 1j)": "np.sgn({} + 1j)",
    "{0} ** 2": "", "{0} * {0}": "", "np.square({})": "", "{} ** 3": "", "({} + 3) ** (0.5 - 1j)": "",
    "(0.5 + 1j) ** {}": "", "1 / ({} + 2.5)": "", "np.reciprocal({} + 2.5)": "", "{} * (1 - 2j)": "", "1j * {}": "",
    "2.5 - {}": "", "-{}": "", "np.exp(1j * {})": "", "np.log(np.exp({}))": "np.log(np.exp({}))",
    "np.where(np.real({0}) > 0.1, {0}, 0.5j)": "np.where(np.real({0}) > 0.1, {0} + 0j, torch.tensor(0.5j))",
    "np.sum({}, axis=-1, keepdims=True)": "np.sum({}, dim=-1, keepdim=True)",
    "np.mean({}, axis=0, keepdims=True)": "np.mean({}, dim=0, keepdim=True)",
    "np.prod({}, axis=-1, keepdims=True)": "np.prod({}, dim=-1, keepdim=True)",
    "np.cumsum({}, axis=-1)": "np.cumsum({}, dim=-1)", "np.cumprod({}, axis=-1)": "np.cumprod({}, dim=-1)",
    "np.flip({}, -1)": "np.flip({}, (-1,))", "np.roll({}, 1, -1)": "", "{}[..., [0, 0, -1]]": "",
    "np.linalg.norm({} + 1, axis=-1, keepdims=True)": "np.linalg.norm({} + 1, dim=-1, keepdim=True)",
    "np.linalg.norm({} + 1, 3, axis=-1, keepdims=True)": "np.linalg.norm({} + 1, 3, dim=-1, keepdim=True)",
    "np.var({} * w, axis=-1, keepdims=True)": "np.var({} * w, dim=-1, keepdim=True, correction=0)",
    "np.std({} * w, axis=-1, keepdims=True)": "np.std({} * w, dim=-1, keepdim=True, correction=0)",
    "at.sigmoid({})": "np.sigmoid({})",
    "np.linalg.inv(square({}))": "", "np.reshape(np.linalg.det(square({})), (1,))": "",
    "np.reshape(np.linalg.slogdet(square({}))[1], (1,))": "", "np.reshape(np.trace(square({})), (1,))": "",
    "np.linalg.cholesky(definite({}))": "", "np.linalg.eigvalsh(definite({}))": "",
    "np.linalg.svd(square({}), compute_uv=False)": "np.linalg.svdvals(square({}))", "np.linalg.pinv(square({}))": "",
    "np.linalg.matrix_power(square({}), 3)": "", "np.tril(square({}))": "", "square({}).T": "", "square({}).mT": "",
}  # fmt: skip
TWO = {
    "{} + {}": "", "{} - {}": "", "{} * {}": "", "{} / ({} + 2.5)": "", "({} + 3) ** {}": "",
    "np.where(np.real({0}) > np.real({1}), {0}, {1})": "np.where(np.real({0}) > np.real({1}), {0} + 0j, {1} + 0j)",
    "square({}) @ square({})": "", "np.einsum('ij,kj->ik', square({}), square({}))": "",
    "np.linalg.solve(square({}), square({}))": "", "np.reshape(np.vdot(square({}), square({})), (1,))":
        "np.reshape(np.vdot(square({}).ravel(), square({}).ravel()), (1,))",
    "np.stack([square({}), square({})])[1]": "", "np.concatenate([square({}), square({})], axis=-1)[:, 2:5]":
        "np.concatenate([square({}), square({})], dim=-1)[:, 2:5]",
    "np.kron(square({}), square({}))[2:5, 3:6]": "np.kron(square({}).contiguous(), square({}).contiguous())[2:5, 3:6]",
}  # fmt: skip
LEAVES = {"A": (3, 3), "z": (3,), "c": (3, 1), "x": (1, 3), "y": (3, 3)}
"""Shapes; the first three are complex, the others real."""
WEIGHTS = np.array([1.0, -0.5, 0.25])


class Line(NamedTuple):
    """A line in NumPy and in PyTorch."""

    name: str
    ours: str
    theirs: str


def program(seed: int) -> list[Line]:
    """Return a random program, always the same for a seed."""
    rng = random.Random(seed)
    names, lines = list(LEAVES), list[Line]()
    for i in range(rng.randint(2, 8)):
        table = ONE if rng.random() < 0.6 else TWO
        ours, theirs = rng.choice(list(table.items()))
        operands = [rng.choice(names), rng.choice(names)]
        name = f"v{i}"
        texts = [text.format(*operands) for text in (ours, theirs or ours)]
        lines.append(Line(name, *(f"bounded({text})" for text in texts)))
        names.append(name)
    last = names[-3:]
    weighed = " + ".join(f"np.sum(np.real({name} * ({k + 1} - 0.5j)))" for k, name in enumerate(last))
    return [*lines, Line("J", weighed, weighed)]


def leaves(seed: int) -> list[np.ndarray]:
    """Return random values for the leaves."""
    rng = np.random.default_rng(seed)
    draws = [rng.uniform(-1, 1, shape) + 1j * rng.uniform(-1, 1, shape) for shape in LEAVES.values()]
    return [x if i < 3 else x.real for i, x in enumerate(draws)]


def function(lines: Sequence[Line]) -> Any:
    """Return the program as a function of the leaves, of NumPy arrays or Tensors."""
    tools: dict[str, Any] = {
        "np": np, "at": at, "w": WEIGHTS,
        "bounded": lambda x: x / (1 + np.abs(x)),
        "square": lambda x: np.broadcast_to(x, (3, 3)) + (3 + 0j) * np.eye(3),
        "definite": lambda x: np.broadcast_to(x, (3, 3)) @ np.conj(np.broadcast_to(x, (3, 3))).mT
        + np.diag([1.0, 2.0, 4.0]),
    }  # fmt: skip

    body = [f"    {line.name} = {line.ours}" for line in lines]
    exec("\n".join([f"def f({', '.join(LEAVES)}):", *body, "    return J"]), tools)
    return tools["f"]


def of_torch(lines: Sequence[Line], values: Sequence[np.ndarray]) -> tuple[Any, list[Any]]:
    """Return the program's value and gradients by PyTorch."""
    import torch

    renamed = {"concatenate": torch.cat, "conj": torch.conj_physical, "trace": torch.trace, "vdot": torch.vdot}
    linalg = SimpleNamespace(**{**vars(torch.linalg), "norm": torch.linalg.vector_norm})
    numpy = SimpleNamespace(**{**vars(torch), **renamed, "linalg": linalg})
    tools = {
        "np": numpy, "torch": torch, "w": torch.tensor(WEIGHTS),
        "bounded": lambda x: x / (1 + torch.abs(x)),
        "square": lambda x: x.expand(3, 3) + (3 + 0j) * torch.eye(3, dtype=torch.complex128),
        "definite": lambda x: x.expand(3, 3) @ x.expand(3, 3).mH + torch.diag(torch.tensor([1.0, 2.0, 4.0])),
    }  # fmt: skip
    tensors = [torch.tensor(x, requires_grad=True) for x in values]
    scope = {**tools, **dict(zip(LEAVES, tensors, strict=True))}
    for line in lines:
        scope[line.name] = eval(line.theirs, scope)
    scope["J"].backward()
    return scope["J"].item(), [
        np.zeros(x.shape) if t.grad is None else t.grad.numpy() for x, t in zip(values, tensors, strict=True)
    ]


def difference(seed: int) -> float:
    """Return how far both engines are apart on a program, relative to the largest entry."""
    lines, values = program(seed), leaves(seed)
    value, gradients = at.value_and_grad(function(lines), tuple(range(len(LEAVES))))(*values)
    other, expected = of_torch(lines, values)
    largest = max(1.0, *(float(np.max(np.abs(g))) for g in expected))
    apart = max(float(np.max(np.abs(g - e))) for g, e in zip(gradients, expected, strict=True))
    return max(abs(float(value) - other), apart / largest)


def main() -> None:
    """Run programs for some minutes, and print those that differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    end, seed, wrong = time.monotonic() + 60 * options.minutes, options.seed, 0
    while time.monotonic() < end:
        try:
            apart = difference(seed)
        except Exception as error:
            print(seed, type(error).__name__, error, *(line.ours for line in program(seed)), sep="\n    ")
            wrong += 1
        else:
            if not apart < 1e-9:
                print(seed, apart, *(line.ours for line in program(seed)), sep="\n    ")
                wrong += 1
        seed += 1
    print(f"{seed - options.seed} programs, {wrong} differ")


if __name__ == "__main__":
    main()
