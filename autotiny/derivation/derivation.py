"""Derivation: a gradient's formula with the steps that lead to it, as text, LaTeX, HTML, code, and entry by entry."""

import re
from collections.abc import Mapping
from typing import Any

from autotiny.derivation import showing
from autotiny.derivation.elements import ElementView, elements
from autotiny.derivation.matching import Match, match
from autotiny.derivation.program import NumpyFunction, numpy_function
from autotiny.derivation.steps import DerivedGradient
from autotiny.engine.call_site import caller_scope
from autotiny.errors import UnsupportedError


class Derivation(DerivedGradient):
    """dJ/d(target) as a formula, with the steps that lead to it; prints as the whole derivation.

    `formula` is the formula as text, `ok` whether it agrees with backprop, `max_error` the largest error, `steps` the
    rules that were applied, and `lemmas` the derivations of the gradients that the formula names.
    """

    def latex(self, steps: bool = True) -> str:
        """The derivation in LaTeX (amsmath, amssymb), aligned at the equals signs; without steps, its result alone."""
        return showing.latex_steps(self) if steps else showing.latex_equation(self)

    def numpy(self) -> NumpyFunction:
        """The gradient as a function of what the run was given, in straight lines of NumPy.

        It prints as its source and is called like it: `f = derivation.numpy(); f(X, Y, W1, b1, W2, b2)`. The target is
        a parameter even if its gradient does not use it, unless the target is a computed result. Entries that the run
        picked by a sort or a mask are picked again, whatever the data; the docstring says so.
        Raises UnsupportedError where an operation has no counterpart in NumPy.
        """
        equation = f"{self.name} = {self.formula}"
        return numpy_function(f"d{self.target.name}", self.term, self.definitions, equation, [self.target])

    def elements(self, *place: int) -> ElementView:
        """The same derivation in index notation for one entry: the one at an index, or the largest."""
        return elements(self, place or None)

    def matches(self, formula: str, scope: Mapping[str, Any] | None = None) -> Match:
        """Whether a formula that you typed is the gradient; if it is not, how it differs.

        It may be NumPy code or textbook notation, over the names in your code and those of other gradients (dZ2). It is
        compared with the derived formula on the recorded values, and on other values of the tracked tensors, except
        those that a step needed as they are. `scope` gives other names; by default, your variables. Raises
        ExpressionError if the formula cannot be parsed, and UnsupportedError if it is not text.
        """
        if not isinstance(formula, str):
            raise UnsupportedError(
                f"matches: expected the formula as text, as in d.matches('2 * x'); got {type(formula).__name__}"
            )
        needed = " ".join(self.conditions())
        free = [x for x in self.run.tracked if not re.search(rf"\b{re.escape(x.name or '')}\b", needed)]
        return match(formula, self.term, self.definitions, free, caller_scope() if scope is None else scope)

    def __repr__(self) -> str:
        return showing.terminal(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        return showing.page(self)
