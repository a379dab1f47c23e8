"""Rows of elementwise identities: sigmoids, hyperbolic and trigonometric functions, powers, logarithms."""

from typing import Any

import numpy as np

from autotiny.algebra.equation import Equation
from autotiny.algebra.normal import factors
from autotiny.algebra.term import Term
from autotiny.ops.activations import sigmoid


def is_positive(x: Any) -> bool:
    """Whether the number before a product is positive."""
    return not isinstance(x, Term) or factors(x)[0] > 0


# fmt: off
IDENTITIES = (
    # ----- sigmoids -----
    Equation("1 / (1 + exp(-x)) is the sigmoid",
        lambda x: 1 / (1 + np.exp(x)),              lambda x: sigmoid(-x),          stable=True),
    Equation("exp(x) / (1 + exp(x)) is the sigmoid",
        lambda x: np.exp(-x) * sigmoid(x),          lambda x: sigmoid(-x),          rest=("x",)),
    Equation("sigmoids of x and -x add up to 1",
        lambda x: 1 - sigmoid(-x),                  lambda x: sigmoid(x),           rest=("x",)),
    Equation("sigmoids of x and -x add up to 1",
        lambda x: sigmoid(x) + sigmoid(-x),         lambda x: 1,                    rest=("x",)),
    Equation("σ(2 x) σ(-2 x) is (1 - tanh(x)²) / 4",
        lambda x: sigmoid(2 * x) * sigmoid(-2 * x), lambda x: (1 - np.tanh(x) ** 2) / 4),

    # ----- hyperbolic functions -----
    Equation("sinh(x) / cosh(x) is tanh",
        lambda x: np.sinh(x) / np.cosh(x),          lambda x: np.tanh(x),           stable=True),
    Equation("cosh² - sinh² = 1",
        lambda x: np.cosh(x) ** 2 - np.sinh(x) ** 2,  lambda x: 1),
    Equation("1 - tanh² = 1 / cosh²",
        lambda x: np.cosh(x) ** 2 * (1 - np.tanh(x) ** 2),  lambda x: 1),

    # ----- trigonometric functions -----
    Equation("sin² + cos² = 1",
        lambda x: np.sin(x) ** 2 + np.cos(x) ** 2,  lambda x: 1),
    Equation("sin² + cos² = 1",
        lambda x: 1 - np.sin(x) ** 2,               lambda x: np.cos(x) ** 2),
    Equation("sin² + cos² = 1",
        lambda x: 1 - np.cos(x) ** 2,               lambda x: np.sin(x) ** 2),
    Equation("sin(x) / cos(x) is tan",
        lambda x: np.sin(x) / np.cos(x),            lambda x: np.tan(x)),
    Equation("tan(x) cos(x) is sin",
        lambda x: np.tan(x) * np.cos(x),            lambda x: np.sin(x)),

    # ----- powers and logarithms -----
    Equation("exponential of a logarithm",
        lambda x: np.exp(np.log(x)),                lambda x: x),
    Equation("exponentials of x and -x are reciprocal",
        lambda x: np.exp(x) * np.exp(-x),           lambda x: 1),
    Equation("powers of one base",
        lambda x, p: x * x ** (p - 1),              lambda x, p: x ** p,            rest=("p",)),

    # ----- absolute values and signs -----
    Equation("|x| times the sign of x is x",
        lambda x: np.abs(x) * np.sign(x),           lambda x: x),
    Equation("x times the sign of x is |x|",
        lambda x: x * np.sign(x),                   lambda x: np.abs(x)),
)
"""Rows that are applied wherever they apply."""

CHOICES = (
    Equation("sigmoids of x and -x add up to 1",
        lambda x: sigmoid(-x),                      lambda x: 1 - sigmoid(x),
        is_positive, rest=("x",), expands=True),
    Equation("difference of squares",
        lambda a, b: (a + b) * (a - b),             lambda a, b: a ** 2 - b ** 2,   expands=True),
    Equation("exp(x) + exp(-x) is 2 cosh(x)",
        lambda x: np.exp(x) + np.exp(-x),           lambda x: 2 * np.cosh(x)),
    Equation("exp(x) - exp(-x) is 2 sinh(x)",
        lambda x: np.exp(x) - np.exp(-x),           lambda x: 2 * np.sinh(x),       expands=True),
    Equation("sin(2 x) = 2 sin(x) cos(x)",
        lambda x: np.sin(x) * np.cos(x),            lambda x: np.sin(2 * x) / 2,    expands=True),
    Equation("cos(2 x) = cos(x)² - sin(x)²",
        lambda x: np.cos(x) ** 2 - np.sin(x) ** 2,  lambda x: np.cos(2 * x)),
    Equation("cos(2 x) = cos(x)² - sin(x)²",
        lambda x: np.sin(x) ** 2 - np.cos(x) ** 2,  lambda x: -np.cos(2 * x)),
    Equation("(exp(2 x) - 1) / (exp(2 x) + 1) is tanh",
        lambda x: (1 - np.exp(2 * x)) / (1 + np.exp(2 * x)),  lambda x: -np.tanh(x)),
    Equation("2 σ(2 x) = 1 + tanh(x)",
        lambda x: sigmoid(2 * x),                   lambda x: (1 + np.tanh(x)) / 2, expands=True),
    Equation("exponential of a logarithm",
        lambda a, x: np.exp(a * np.log(x)),         lambda a, x: x ** a,            rest=("a",), expands=True),
    Equation("1 + tan² = 1 / cos²",
        lambda x: 1 + np.tan(x) ** 2,               lambda x: 1 / np.cos(x) ** 2,   expands=True),
)
"""Rows that are tried in the search for a smaller form: not every formula reads better after them."""
# fmt: on
