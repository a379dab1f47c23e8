"""Which arguments of a function are differentiated: argnums and argnames, and how a call gives them."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autotiny.errors import UnsupportedError

Key = int | str
"""An argument of a call: its position, or its keyword."""
Keywords = dict[str, Any]
Positions = int | Sequence[int] | None
Names = str | Sequence[str] | None


def replaced(args: Sequence[Any], kwargs: Keywords, keys: Sequence[Key], values: Sequence[Any]) -> Any:
    """Return the arguments of a call with other values for those of these keys."""
    arguments, keywords = list(args), dict(kwargs)
    for key, value in zip(keys, values, strict=True):
        if isinstance(key, str):
            keywords[key] = value
        else:
            arguments[key] = value
    return arguments, keywords


class Chosen:
    """The arguments to differentiate by, as a user states them; the first one by default.

    single : whether the derivative is by one argument, rather than a tuple of derivatives.
    """

    def __init__(self, f: Callable[..., Any], argnums: Positions, argnames: Names, where: str) -> None:
        self.f, self.where = f, where
        argnums = 0 if argnums is None and argnames is None else argnums
        self.positions = () if argnums is None else _positions(argnums, where)
        self.names = () if argnames is None else _names(argnames, where)
        plain = not self.names and min(self.positions) >= 0 and len(set(self.positions)) == len(self.positions)
        self.reach = max(self.positions) + 1 if plain else math.inf
        """The number of positional arguments with which a call gives what is asked for, as it is asked for."""
        self.single = isinstance(argnames, str) if argnums is None else argnames is None and np.ndim(argnums) == 0

    def __call__(self, args: tuple[Any, ...], kwargs: Keywords) -> tuple[Sequence[Key], tuple[Any, ...], Keywords]:
        """Return where a call gives the arguments, and the call, with the defaults of those that it does not give."""
        if self.reach <= len(args) and not any(args[i] is None for i in self.positions):
            return self.positions, args, kwargs
        keys: list[Key] = []
        for i in self.positions:
            if -len(args) <= i < len(args):
                keys.append(i % len(args))
            else:
                key, args, kwargs = self._by_default(self._parameter_at(i, len(args)), args, kwargs)
                keys.append(key)
        for name in self.names:
            key, args, kwargs = self._by_name(name, args, kwargs)
            keys.append(key)
        for key, value in zip(keys, chosen_values(args, kwargs, keys), strict=True):
            if value is None:
                name = key if isinstance(key, str) else f"argument {key}"
                raise UnsupportedError(f"{self.where}: {name} is None; expected an array, a number or a tree of them")
        if len(set(keys)) < len(keys):
            raise UnsupportedError(f"{self.where}: {self._asked()} names an argument twice")
        return keys, args, kwargs

    def function_of(self, args: tuple[Any, ...], kwargs: Keywords) -> tuple[Callable[[Any], Any], Any]:
        """Return f as a function of the arguments alone, one or a tuple of several; and what a call gives for them."""
        keys, args, kwargs = self(args, kwargs)
        values = tuple([kwargs[key] if isinstance(key, str) else args[key] for key in keys])

        def of_x(x: Any) -> Any:
            arguments, keywords = replaced(args, kwargs, keys, [x] if self.single else x)
            return self.f(*arguments, **keywords)

        return of_x, values[0] if self.single else values

    def _asked(self) -> str:
        positions = self.positions[0] if len(self.positions) == 1 else self.positions
        names = self.names[0] if len(self.names) == 1 else self.names
        stated = [f"argnums={positions}" if self.positions else "", f"argnames={names!r}" if self.names else ""]
        return ", ".join(filter(None, stated))

    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        try:
            return inspect.signature(self.f).parameters
        except (TypeError, ValueError):  # some callables do not say
            return {}

    def _parameter_at(self, i: int, count: int) -> inspect.Parameter:
        """Return the parameter in a position that the positional arguments do not reach."""
        kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters = [p for p in self._parameters().values() if p.kind in kinds]
        if 0 <= i < len(parameters):
            return parameters[i]
        raise self._missing(count)

    def _missing(self, count: int) -> UnsupportedError:
        return UnsupportedError(
            f"{self.where}: {self._asked()} asks for an argument that was not given; there are {count}"
        )

    def _by_name(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return where a call gives the argument of this name."""
        parameters = self._parameters()
        if name in kwargs:
            return name, args, kwargs
        if name not in parameters or parameters[name].kind in (
            inspect.Parameter.VAR_POSITIONAL,
            inspect.Parameter.VAR_KEYWORD,
        ):
            listed = ", ".join(parameters) or "not known"
            raise UnsupportedError(
                f"{self.where}: argnames={name!r} is no parameter of the function; its parameters are {listed}"
            )
        position = list(parameters).index(name)
        if parameters[name].kind is not inspect.Parameter.KEYWORD_ONLY and position < len(args):
            return position, args, kwargs
        return self._by_default(parameters[name], args, kwargs)

    def _by_default(self, parameter: inspect.Parameter, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return where a call gives an argument that its positional arguments do not reach: by keyword or default."""
        name = parameter.name
        if name in kwargs:
            return name, args, kwargs
        if parameter.default is parameter.empty or parameter.kind is parameter.POSITIONAL_ONLY:
            raise self._missing(len(args) + len(kwargs))
        return name, args, {**kwargs, name: parameter.default}


def chosen_values(args: Sequence[Any], kwargs: Keywords, keys: Sequence[Key]) -> tuple[Any, ...]:
    """Return the chosen arguments of a call."""
    return tuple([kwargs[key] if isinstance(key, str) else args[key] for key in keys])


def _positions(argnums: Any, where: str) -> tuple[int, ...]:
    """Return the positions of arguments, which are one or several whole numbers."""
    positions = argnums if isinstance(argnums, tuple | list) else (argnums,)
    if not positions or not all(isinstance(i, int | np.integer) and not isinstance(i, bool) for i in positions):
        raise UnsupportedError(
            f"{where}: argnums={argnums!r}: expected the position of an argument, such as 0, or a tuple of positions"
            + ("; argnames= takes names" if isinstance(argnums, str) else "")
        )
    return tuple(map(int, positions))


def _names(argnames: Any, where: str) -> tuple[str, ...]:
    """Return the names of arguments, which are one or several texts."""
    names = argnames if isinstance(argnames, tuple | list) else (argnames,)
    if not names or not all(isinstance(name, str) for name in names):
        raise UnsupportedError(
            f"{where}: argnames={argnames!r}: expected the name of an argument, such as 'x', or a tuple of names"
        )
    return tuple(names)
