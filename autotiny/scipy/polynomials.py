"""SciPy's hypergeometric functions and orthogonal polynomials: the derivative is one of the same kind, shifted.

F. W. J. Olver et al., "NIST Digital Library of Mathematical Functions", sections 13.3, 15.5 and 18.9. Parameters and
degrees are constant.
"""

from typing import Any

import numpy as np
from scipy import special

from autotiny.ops.table import Array
from autotiny.scipy.mirror import curve

SHIFTED = "times a factor and the function with shifted parameters"


def of_parameters(
    function: Any, count: int, rule: Any, traits: str = "smooth unbounded", of: str = "parameters"
) -> None:
    """Enter a function of so many constant parameters, and x."""
    words = ("",) * count + (SHIFTED,)
    curve(function, *[None] * count, rule, traits="smooth unbounded", undifferentiable="its parameters", words=words)


def of_degree(function: Any, rule: Any, parameters: int = 0) -> None:
    """Enter a polynomial of a constant degree, constant parameters, and x; the slope of degree 0 is 0."""

    def guarded(g: Array, y: Array, n: Array, *rest: Array) -> Array:
        return g * np.where(n == 0, 0.0, rule(np.where(n == 0, 1, n), *rest))

    guarded.__doc__ = "Times a factor and a polynomial of one degree less."
    curve(function, *[None] * (1 + parameters), guarded, traits="smooth unbounded",
          undifferentiable="the degree" if not parameters else "the degree and the parameters")  # fmt: skip


# fmt: off
of_parameters(special.hyp0f1, 1, lambda g, y, v, x: g / v * special.hyp0f1(v + 1, x))
of_parameters(special.hyp1f1, 2, lambda g, y, a, b, x: g * (a / b) * special.hyp1f1(a + 1, b + 1, x))
of_parameters(special.hyperu, 2, lambda g, y, a, b, x: -g * a * special.hyperu(a + 1, b + 1, x))
of_parameters(special.hyp2f1, 3, lambda g, y, a, b, c, x: g * (a * b / c) * special.hyp2f1(a + 1, b + 1, c + 1, x))

of_degree(special.eval_legendre,    lambda n, x: 0.5 * (n + 1) * special.eval_jacobi(n - 1, 1, 1, x))
of_degree(special.eval_sh_legendre, lambda n, x: (n + 1) * special.eval_jacobi(n - 1, 1, 1, 2 * x - 1))
of_degree(special.eval_chebyt,      lambda n, x: n * special.eval_chebyu(n - 1, x))
of_degree(special.eval_chebyu,      lambda n, x: 2 * special.eval_gegenbauer(n - 1, 2, x))
of_degree(special.eval_hermite,     lambda n, x: 2 * n * special.eval_hermite(n - 1, x))
of_degree(special.eval_hermitenorm, lambda n, x: n * special.eval_hermitenorm(n - 1, x))
of_degree(special.eval_laguerre,    lambda n, x: -special.eval_genlaguerre(n - 1, 1, x))
of_degree(special.eval_genlaguerre, lambda n, a, x: -special.eval_genlaguerre(n - 1, a + 1, x), 1)
of_degree(special.eval_gegenbauer,  lambda n, a, x: 2 * a * special.eval_gegenbauer(n - 1, a + 1, x), 1)
of_degree(special.eval_jacobi,
          lambda n, a, b, x: 0.5 * (n + a + b + 1) * special.eval_jacobi(n - 1, a + 1, b + 1, x), 2)
# fmt: on
