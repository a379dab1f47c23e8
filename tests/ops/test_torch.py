"""The same values and gradients as PyTorch's, where it is installed: forwards and rules that other people wrote."""

import numpy as np
import pytest

import autotiny as at

torch = pytest.importorskip("torch")
F = torch.nn.functional

SIGNS = np.where(np.arange(9).reshape(3, 3) % 2, -1, 1)
ONE = {
    "exp": (np.exp, torch.exp),
    "expm1": (np.expm1, torch.expm1),
    "log of the absolute": (lambda x: np.log(np.abs(x)), lambda x: torch.log(torch.abs(x))),
    "sin": (np.sin, torch.sin),
    "tan": (np.tan, torch.tan),
    "arctan": (np.arctan, torch.arctan),
    "arcsinh": (np.arcsinh, torch.arcsinh),
    "tanh": (np.tanh, torch.tanh),
    "cosh": (np.cosh, torch.cosh),
    "square root of the square": (lambda x: np.sqrt(x * x), lambda x: torch.sqrt(x * x)),
    "cube": (lambda x: x**3, lambda x: x**3),
    "power of 2": (lambda x: 2.0**x, lambda x: 2.0**x),
    "reciprocal": (np.reciprocal, torch.reciprocal),
    "sinc": (np.sinc, torch.sinc),
    "clip": (lambda x: np.clip(x, -0.5, 0.5), lambda x: torch.clip(x, -0.5, 0.5)),
    "relu": (at.relu, F.relu),
    "leaky_relu": (at.leaky_relu, F.leaky_relu),
    "elu": (at.elu, F.elu),
    "selu": (at.selu, F.selu),
    "celu": (lambda x: at.celu(x, alpha=0.5), lambda x: F.celu(x, alpha=0.5)),
    "hard_tanh": (at.hard_tanh, F.hardtanh),
    "hard_sigmoid": (lambda x: at.hard_sigmoid(3 * x), lambda x: F.relu6(3 * x + 3) / 6),
    "softsign": (at.softsign, F.softsign),
    "mish": (at.mish, F.mish),
    "log_sigmoid": (at.log_sigmoid, F.logsigmoid),
    "softplus": (at.softplus, F.softplus),
    "sigmoid": (at.sigmoid, torch.sigmoid),
    "silu": (at.silu, F.silu),
    "gelu": (at.gelu, lambda x: F.gelu(x, approximate="tanh")),
    "softmax": (at.softmax, lambda x: F.softmax(x, dim=0)),
    "log_softmax": (lambda x: at.log_softmax(x, axis=1), lambda x: F.log_softmax(x, dim=1)),
    "logsumexp": (lambda x: at.logsumexp(x, axis=0), lambda x: torch.logsumexp(x, dim=0)),
    "cross_entropy": (
        lambda x: at.cross_entropy(x, [0, 2, 1], axis=1),
        lambda x: F.cross_entropy(x, torch.tensor([0, 2, 1])),
    ),
    "hinge": (lambda x: at.hinge(x, SIGNS), lambda x: torch.relu(1 - torch.tensor(SIGNS) * x).mean()),
    "sum": (lambda x: np.sum(x, axis=0), lambda x: torch.sum(x, dim=0)),
    "mean": (lambda x: np.mean(x, axis=1, keepdims=True), lambda x: torch.mean(x, dim=1, keepdim=True)),
    "prod": (np.prod, torch.prod),
    "max": (lambda x: np.max(x, axis=0), lambda x: torch.amax(x, dim=0)),
    "min": (lambda x: np.min(x, axis=1), lambda x: torch.amin(x, dim=1)),
    "var": (lambda x: np.var(x, axis=0, ddof=1), lambda x: torch.var(x, dim=0)),
    "std": (lambda x: np.std(x), lambda x: torch.std(x, correction=0)),
    "norm": (lambda x: np.linalg.norm(x, axis=0), lambda x: torch.linalg.norm(x, dim=0)),
    "3-norm": (lambda x: np.linalg.norm(x, 3, axis=1), lambda x: torch.linalg.norm(x, 3, dim=1)),
    "cumsum": (lambda x: np.cumsum(x, axis=0), lambda x: torch.cumsum(x, dim=0)),
    "cumprod": (lambda x: np.cumprod(x, axis=1), lambda x: torch.cumprod(x, dim=1)),
    "inv": (np.linalg.inv, torch.linalg.inv),
    "det": (np.linalg.det, torch.linalg.det),
    "slogdet": (lambda x: np.linalg.slogdet(x).logabsdet, lambda x: torch.linalg.slogdet(x).logabsdet),
    "cholesky": (
        lambda x: np.linalg.cholesky(x @ x.T + np.eye(3)),
        lambda x: torch.linalg.cholesky(x @ x.T + torch.eye(3, dtype=x.dtype)),
    ),
    "trace": (np.trace, torch.trace),
    "tril": (lambda x: np.tril(x, -1), lambda x: torch.tril(x, -1)),
    "diagonal": (lambda x: np.diagonal(x, 1), lambda x: torch.diagonal(x, 1)),
    "sort": (lambda x: np.sort(x, axis=0), lambda x: torch.sort(x, dim=0).values),
    "roll": (lambda x: np.roll(x, 1, axis=0), lambda x: torch.roll(x, 1, dims=0)),
    "flip": (lambda x: np.flip(x, (0, 1)), lambda x: torch.flip(x, (0, 1))),
    "tile": (lambda x: np.tile(x, (2, 1)), lambda x: torch.tile(x, (2, 1))),
    "repeat": (lambda x: np.repeat(x, 2, axis=0), lambda x: torch.repeat_interleave(x, 2, dim=0)),
    "pad": (lambda x: np.pad(x, 1), lambda x: F.pad(x, (1, 1, 1, 1))),
    "repeated rows": (lambda x: x[[0, 2, 0]], lambda x: x[[0, 2, 0]]),
    "mask": (lambda x: x[x > 0], lambda x: x[x > 0]),
}
TWO = {
    "add": (np.add, torch.add),
    "multiply": (np.multiply, torch.mul),
    "divide": (np.divide, torch.div),
    "mean_squared_error": (at.mean_squared_error, F.mse_loss),
    "mean_absolute_error": (at.mean_absolute_error, F.l1_loss),
    "huber": (lambda a, b: at.huber(a, b, delta=0.7), lambda a, b: F.huber_loss(a, b, delta=0.7)),
    "smooth L1": (lambda a, b: at.huber(a, b, delta=0.7) / 0.7, lambda a, b: F.smooth_l1_loss(a, b, beta=0.7)),
    "kl_divergence": (
        lambda a, b: at.kl_divergence(at.softmax(a), at.softmax(b)),
        lambda a, b: F.kl_div(F.log_softmax(b, 0).T, F.log_softmax(a, 0).T, reduction="batchmean", log_target=True),
    ),
    "cosine_similarity": (at.cosine_similarity, lambda a, b: F.cosine_similarity(a, b, dim=0)),
    "hypot": (np.hypot, torch.hypot),
    "arctan2": (np.arctan2, torch.arctan2),
    "logaddexp": (np.logaddexp, torch.logaddexp),
    "maximum": (np.maximum, torch.maximum),
    "minimum": (np.minimum, torch.minimum),
    "fmax": (np.fmax, torch.fmax),
    "remainder": (np.remainder, torch.remainder),
    "fmod": (np.fmod, torch.fmod),
    "where": (lambda a, b: np.where(a > b, a, b * b), lambda a, b: torch.where(a > b, a, b * b)),
    "matmul": (np.matmul, torch.matmul),
    "solve": (np.linalg.solve, torch.linalg.solve),
    "outer": (np.outer, lambda a, b: torch.outer(a.ravel(), b.ravel())),
    "tensordot": (lambda a, b: np.tensordot(a, b, 1), lambda a, b: torch.tensordot(a, b, dims=1)),
    "einsum": (lambda a, b: np.einsum("ij,kj->ik", a, b), lambda a, b: torch.einsum("ij,kj->ik", a, b)),
    "concatenate": (lambda a, b: np.concatenate([a, b], axis=1), lambda a, b: torch.concatenate([a, b], dim=1)),
    "stack": (lambda a, b: np.stack([a, b]), lambda a, b: torch.stack([a, b])),
}


def assert_same(ours, theirs, arrays):
    value, pull = at.vjp(ours, *arrays)
    tensors = [torch.tensor(x, requires_grad=True) for x in arrays]
    expected = theirs(*tensors)
    u = np.random.default_rng(1).normal(size=value.shape)
    expected.backward(torch.tensor(u))
    np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-12, atol=1e-13)
    for g, tensor in zip(pull(u), tensors, strict=True):
        np.testing.assert_allclose(g, tensor.grad.numpy(), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ONE)
def test_function_of_one_argument_agrees_with_pytorch(name):
    assert_same(*ONE[name], [np.random.default_rng(0).normal(size=(3, 3))])


@pytest.mark.parametrize("name", TWO)
def test_function_of_two_arguments_agrees_with_pytorch(name):
    rng = np.random.default_rng(0)
    assert_same(*TWO[name], [rng.normal(size=(3, 3)), rng.normal(size=(3, 3))])
