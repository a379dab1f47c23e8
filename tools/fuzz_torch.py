"""Hold gradients of random programs against PyTorch: the same program on both, entry by entry.

    python tools/fuzz_torch.py [--programs N] [--seed S]

A program is a list of lines, each an operation on earlier values: arithmetic with broadcasting, products, reductions
along axes, views, indices, masks and stacking. Every input of both engines has the same float64 numbers.
"""

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

import autotiny as at

Shape = tuple[int, ...]

ELEMENTWISE = {  # what stands in NumPy and in PyTorch, with a domain that the argument is brought into
    "np.exp({})": "torch.exp({})",
    "np.tanh({})": "torch.tanh({})",
    "np.sin({})": "torch.sin({})",
    "np.arctan({})": "torch.arctan({})",
    "np.log({} ** 2 + 1)": "torch.log({} ** 2 + 1)",
    "np.sqrt(np.abs({}) + 0.1)": "torch.sqrt(torch.abs({}) + 0.1)",
    "np.log1p({} ** 2)": "torch.log1p({} ** 2)",
    "np.expm1({} / 4)": "torch.expm1({} / 4)",
    "1 / ({} ** 2 + 0.5)": "1 / ({} ** 2 + 0.5)",
    "(np.abs({}) + 0.2) ** 1.5": "(torch.abs({}) + 0.2) ** 1.5",
    "at.sigmoid({})": "torch.sigmoid({})",
    "at.softplus({})": "torch.nn.functional.softplus({}, threshold=700)",
    "at.relu({})": "torch.relu({})",
    "np.maximum({}, 0.1)": "torch.clamp({}, min=0.1)",
    "np.clip({}, -0.5, 0.7)": "torch.clamp({}, -0.5, 0.7)",
    "np.where({} > 0.2, {}, 0.5)": "torch.where({} > 0.2, {}, torch.tensor(0.5, dtype=torch.float64))",
    "at.gelu({})": "torch.nn.functional.gelu({}, approximate='tanh')",
    "at.silu({})": "torch.nn.functional.silu({})",
    "at.elu({})": "torch.nn.functional.elu({})",
    "at.leaky_relu({})": "torch.nn.functional.leaky_relu({})",
    "np.arcsinh({})": "torch.arcsinh({})",
    "np.cbrt({} ** 2 + 1)": "({} ** 2 + 1) ** (1 / 3)",
}
PAIRS = {
    "{} + {}": "{} + {}",
    "{} - {}": "{} - {}",
    "{} * {}": "{} * {}",
    "{} / ({} ** 2 + 1)": "{} / ({} ** 2 + 1)",
    "np.maximum({}, {})": "torch.maximum({}, {})",
    "np.minimum({}, {})": "torch.minimum({}, {})",
    "np.hypot({}, {})": "torch.hypot({}, {})",
    "np.logaddexp({}, {})": "torch.logaddexp({}, {})",
    "np.arctan2({}, {} ** 2 + 1)": "torch.arctan2({}, {} ** 2 + 1)",
    "(np.abs({}) + 0.3) ** {}": "(torch.abs({}) + 0.3) ** {}",
}
ALONG = {
    "np.sum({}, axis={}, keepdims={})": "torch.sum({}, dim={}, keepdim={})",
    "np.mean({}, axis={}, keepdims={})": "torch.mean({}, dim={}, keepdim={})",
    "np.max({}, axis={}, keepdims={})": "torch.amax({}, dim={}, keepdim={})",
    "np.min({}, axis={}, keepdims={})": "torch.amin({}, dim={}, keepdim={})",
    "np.prod({}, axis={}, keepdims={})": "torch.prod({}, dim={}, keepdim={})",
    "np.var({}, axis={}, keepdims={})": "torch.var({}, dim={}, keepdim={}, correction=0)",
    "np.std({}, axis={}, keepdims={})": "torch.std({}, dim={}, keepdim={}, correction=0)",
    "at.logsumexp({}, axis={}, keepdims={})": "torch.logsumexp({}, dim={}, keepdim={})",
    "np.linalg.norm({}, axis={}, keepdims={})": "torch.linalg.vector_norm({}, dim={}, keepdim={})",
}
SAME_SHAPE = {
    "at.softmax({}, axis={})": "torch.softmax({}, dim={})",
    "at.log_softmax({}, axis={})": "torch.log_softmax({}, dim={})",
    "np.cumsum({}, axis={})": "torch.cumsum({}, dim={})",
    "np.cumprod({}, axis={})": "torch.cumprod({}, dim={})",
    "np.sort({}, axis={})": "torch.sort({}, dim={}).values",
    "np.flip({}, axis={})": "torch.flip({}, dims=({},))",
    "np.roll({}, 1, axis={})": "torch.roll({}, 1, dims={})",
}


class Program:
    """Lines of both engines, made together, with the shape of each value."""

    def __init__(self, pick: random.Random) -> None:
        self.pick = pick
        self.inputs: list[Shape] = [self.shape() for _ in range(pick.choice([1, 2, 2, 3]))]
        self.shapes = list(self.inputs)
        self.lines: list[tuple[str, str]] = []
        for _ in range(pick.choice([2, 4, 6, 9])):
            pick.choice([self.elementwise, self.pair, self.pair, self.along, self.view, self.product, self.stack])()

    def shape(self) -> Shape:
        """Return a random shape of up to three short axes."""
        return tuple(self.pick.choice([1, 2, 3]) for _ in range(self.pick.choice([0, 1, 2, 2, 3])))

    def add(self, tiny: str, peer: str, names: Sequence[str], shape: Shape) -> None:
        """Append a line in both languages, with the shape of its value."""
        self.lines.append((tiny.format(*names), peer.format(*names)))
        self.shapes.append(shape)

    def one(self, least: int = 0) -> tuple[str, Shape]:
        """Return a value of at least so many axes, as text, and its shape; one with new axes if there is none yet."""
        fitting = [i for i, shape in enumerate(self.shapes) if len(shape) >= least]
        if fitting:
            i = self.pick.choice(fitting)
            return f"v[{i}]", self.shapes[i]
        i = self.pick.randrange(len(self.shapes))
        new = (1,) * (least - len(self.shapes[i]))
        return f"v[{i}][{'None, ' * len(new)}...]", (*new, *self.shapes[i])

    def elementwise(self) -> None:
        """Append a function of one value, entry by entry."""
        name, shape = self.one()
        tiny, peer = self.pick.choice(list(ELEMENTWISE.items()))
        self.add(tiny, peer, [name] * tiny.count("{}"), shape)

    def pair(self) -> None:
        """Append an operation on two values that broadcast."""
        (a, s), (b, t) = self.one(), self.one()
        try:
            shape = np.broadcast_shapes(s, t)
        except ValueError:
            b, shape = a, s
        self.add(*self.pick.choice(list(PAIRS.items())), [a, b], shape)

    def along(self) -> None:
        """Append an operation along one axis."""
        name, shape = self.one(1)
        axis = self.pick.randrange(len(shape))
        rest = (shape[:axis], shape[axis + 1 :])
        if self.pick.random() < 0.4:
            self.add(*self.pick.choice(list(SAME_SHAPE.items())), [name, str(axis)], shape)
        else:
            tiny, peer = self.pick.choice(list(ALONG.items()))
            if shape[axis] == 1 and "norm" not in tiny:
                tiny, peer = next(iter(ALONG.items()))
            kept = self.pick.random() < 0.5
            self.add(tiny, peer, [name, str(axis), str(kept)], (*rest[0], *([1] if kept else []), *rest[1]))

    def view(self) -> None:
        """Append a reshape, a transpose, an index or a broadcast."""
        name, shape = self.one(1)
        last, size = shape[-1], int(np.prod(shape))
        order = self.pick.sample(range(len(shape)), len(shape))
        kind = self.pick.randrange(6)
        if kind == 0:
            self.add("np.reshape({}, (-1,))", "torch.reshape({}, (-1,))", [name], (size,))
        elif kind == 1:
            text = "({}).transpose(" + str(tuple(order)) + ")", "({}).permute(" + str(tuple(order)) + ")"
            self.add(*text, [name], tuple(shape[i] for i in order))
        elif kind == 2:
            at_ = [self.pick.randrange(last) for _ in range(3)]
            self.add(f"{{}}[..., {at_}]", f"{{}}[..., {at_}]", [name], (*shape[:-1], 3))
        elif kind == 3:
            self.add("{}[..., None]", "{}[..., None]", [name], (*shape, 1))
        elif kind == 4:
            self.add(f"{{}}[{shape[0] - 1}]", f"{{}}[{shape[0] - 1}]", [name], shape[1:])
        else:
            self.add("np.broadcast_to({}, (2, *({}).shape))", "({}).expand(2, *({}).shape)", [name, name], (2, *shape))

    def product(self) -> None:
        """Append a matrix product, an einsum or an inverse."""
        name, shape = self.one(2)
        kind = self.pick.randrange(3)
        if kind == 0:
            self.add("{} @ np.swapaxes({}, -1, -2)", "{} @ {}.mT", [name, name], (*shape[:-1], shape[-2]))
        elif kind == 1:
            self.add("np.einsum('...ij,...ik->...jk', {}, {})", "torch.einsum('...ij,...ik->...jk', {}, {})",
                     [name, name], (*shape[:-2], shape[-1], shape[-1]))  # fmt: skip
        else:
            text = "np.linalg.inv({0} @ np.swapaxes({0}, -1, -2) + np.eye({1}))"
            peer = "torch.linalg.inv({0} @ {0}.mT + torch.eye({1}, dtype=torch.float64))"
            self.add(text, peer, [name, str(shape[-2])], (*shape[:-1], shape[-2]))

    def stack(self) -> None:
        """Append two values of one shape, joined."""
        name, shape = self.one()
        same = [f"v[{i}]" for i, other in enumerate(self.shapes) if other == shape]
        other = self.pick.choice(same)
        if shape and self.pick.random() < 0.5:
            self.add("np.concatenate([{}, {}])", "torch.cat([{}, {}])", [name, other], (2 * shape[0], *shape[1:]))
        else:
            self.add("np.stack([{}, {}], axis=-1)", "torch.stack([{}, {}], dim=-1)", [name, other], (*shape, 2))

    def run(self, side: int, inputs: list[Any], names: dict[str, Any], total: Callable[[Any], Any]) -> Any:
        """Return the scalar result of one engine: all values take part in it."""
        v = list(inputs)
        for line in self.lines:
            v.append(eval(line[side], names, {"v": v}))
        return total(v[-1] * 0.7) + sum(total(value) * 0.01 for value in v)


def difference(program: Program, numbers: np.random.Generator) -> float:
    """Return the largest difference of the gradients, relative to the largest gradient; 0 where PyTorch's overflow."""
    arrays = [numbers.normal(size=shape) for shape in program.inputs]
    mine = [at.Tensor(a) for a in arrays]
    program.run(0, list(mine), {"np": np, "at": at}, np.sum).backward()
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    program.run(1, list(theirs), {"torch": torch}, torch.sum).backward()
    expected = [t.grad.numpy() for t in theirs]
    scale = max(float(np.max(np.abs(e))) for e in expected)
    if not np.isfinite(scale):
        return 0.0
    return max(float(np.max(np.abs(m.grad - e))) for m, e in zip(mine, expected, strict=True)) / (scale + 1e-300)


def differing(programs: int, seed: int) -> Iterator[tuple[Program, float]]:
    """Yield the random programs whose gradients differ, with the relative difference."""
    pick, numbers = random.Random(seed), np.random.default_rng(seed)
    for _ in range(programs):
        program = Program(pick)
        with np.errstate(all="ignore"):
            error = difference(program, numbers)
        if not error < 1e-7:
            yield program, error


def main() -> None:
    """Compare random programs and print those that differ."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    wrong = 0
    for program, error in differing(options.programs, options.seed):
        wrong += 1
        print(f"differs by {error:.1e}: inputs {program.inputs}", *(line[0] for line in program.lines), sep="\n    ")
    print(f"{options.programs} programs, {wrong} wrong")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
