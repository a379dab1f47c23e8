"""The same work in libraries that record as the code runs, then run backward: PyTorch, MyGrad, micrograd."""

from functools import partial
from typing import Any

import numpy as np

from bench_sides import Side, recorded, recorded_scalars
from bench_works import Chain, Layers, Network, Repeated, ScalarNetwork, logits

Function = Chain | Repeated | Layers

# ---- PyTorch


def torch_network(net: Network) -> Side:
    """Leaves, backward, and the update under no_grad."""
    import torch

    parameters = [torch.tensor(p, requires_grad=True) for p in net.parameters()]
    X, labels = torch.tensor(net.data[0]), torch.tensor(net.labels)
    loss: Any = None

    def step() -> None:
        nonlocal loss
        loss = torch.nn.functional.cross_entropy(logits(parameters, X, torch.relu).T, labels)
        for p in parameters:
            p.grad = None
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p -= net.lr * p.grad

    return Side(step, lambda: [v.detach() for v in (loss, *parameters)])


def torch_function(problem: Function) -> Side:
    """Leaves and one backward."""
    import torch

    return recorded(partial(problem.y, torch), [torch.tensor(x, requires_grad=True) for x in problem.data])


def torch_scalars(net: ScalarNetwork) -> Side:
    """Every number a 0-d tensor."""
    import torch

    return recorded_scalars(net, partial(torch.tensor, dtype=torch.float64, requires_grad=True), torch.relu)


TORCH: Any = {
    Network: torch_network,
    Chain: torch_function,
    Repeated: torch_function,
    Layers: torch_function,
    ScalarNetwork: torch_scalars,
}

# ---- MyGrad


def mygrad_network(net: Network) -> Side:
    """Leaves and backward; its gradients are cleared by the next forward pass."""
    import mygrad
    from mygrad.nnet.activations import relu
    from mygrad.nnet.losses import softmax_crossentropy

    X, parameters = net.data[0], [mygrad.tensor(p) for p in net.parameters()]
    loss: Any = None

    def step() -> None:
        nonlocal loss
        loss = softmax_crossentropy(logits(parameters, X, relu).T, net.labels)
        loss.backward()
        for p in parameters:
            p.data -= net.lr * p.grad

    return Side(step, lambda: [v.data for v in (loss, *parameters)])


def mygrad_function(problem: Function) -> Side:
    """Leaves and one backward."""
    import mygrad

    leaves, y = [mygrad.tensor(x) for x in problem.data], mygrad.tensor(np.inf)

    def step() -> None:
        nonlocal y
        y = problem.y(mygrad, *leaves)
        y.backward()

    return Side(step, lambda: [y.data, *(x.grad for x in leaves)])


MYGRAD: Any = {
    Network: mygrad_network,
    Chain: mygrad_function,
    Repeated: mygrad_function,
    Layers: mygrad_function,
}

# ---- micrograd


def micrograd_scalars(net: ScalarNetwork) -> Side:
    """As in its demo."""
    from micrograd.engine import Value

    return recorded_scalars(net, Value, Value.relu, no_gradient=0)


MICROGRAD: Any = {ScalarNetwork: micrograd_scalars}
