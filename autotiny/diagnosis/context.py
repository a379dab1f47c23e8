"""What the diagnosis of a wrong gradient knows of the right one besides its value."""

from collections.abc import Collection, Iterator, Mapping

from autotiny.diagnosis.values import Array


class Context:
    """Knowledge of the right gradient besides its value; subclasses supply it."""

    def counts(self) -> Mapping[int, str]:
        """Return the numbers of entries that an average may be over, with their names: {64: "m"}."""
        return {}

    def sums(self) -> Mapping[int, str]:
        """Return the numbers of examples that a loss sums over, with their names."""
        return {}

    def entries(self) -> Collection[int]:
        """Return the numbers of entries that a loss sums over."""
        return ()

    def lengths(self) -> Collection[int]:
        """Return the lengths of axes that count no examples."""
        return ()

    def has_two(self) -> bool:
        """Whether the loss has a square or a factor of 2, which may be forgotten."""
        return True

    def scales(self) -> Collection[float]:
        """Return the numbers that a loss multiplies or divides by."""
        return ()

    def numbers(self) -> Mapping[str, float]:
        """Return the numbers that have a name: {"lam": 0.1}."""
        return {}

    def terms(self) -> Iterator[tuple[str, Array]]:
        """Yield each of the terms that the gradient is a sum of, described and by value."""
        yield from ()

    def without_factor(self) -> Iterator[tuple[str, Array]]:
        """Yield the gradient with one factor left out, after a description of the factor."""
        yield from ()

    def of_one_example(self) -> Iterator[tuple[int, int, Array]]:
        """Yield an axis that is summed over, an index on it, and the gradient of that entry alone."""
        yield from ()

    def averaged(self, ratio: float) -> str:
        """Return, after a comma, the sum of which a factor makes a mean; empty if it makes none."""
        return ""

    def conditions(self) -> Iterator[tuple[str, Array]]:
        """Yield the condition under which a mask stops the gradient, in symbols and as truth values."""
        yield from ()

    def explanations(self, stated: Array, right: Array) -> Iterator[str]:
        """Yield sentences for slips in the derivation that reproduce a stated gradient."""
        yield from ()
