"""The report: one page of HTML that needs nothing but itself."""

from importlib.util import find_spec

import numpy as np

import autotiny
from autotiny.demo import curves, flagship, images
from autotiny.demo.findings import Findings
from autotiny.derivation import page
from autotiny.drawing import GraphvizMissingError, Picture
from autotiny.errors import AutotinyError

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MOST_WRONG = 12
MOSAIC = 5, 6
STRIP = 25
"""Digits whose A2 - Y is shown: as many as are told apart on a phone."""


class ExtraMissingError(AutotinyError):
    """What the report is made with is not installed."""


def require_lab() -> None:
    """Raise ExtraMissingError where the report could not be made."""
    missing = [name for name in ("jinja2", "matplotlib") if find_spec(name) is None]
    if missing:
        raise ExtraMissingError(f"demo: the report is made with {' and '.join(missing)}: pip install 'autotiny[lab]'")


def render(findings: Findings) -> str:
    """The report as HTML text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("autotiny.demo"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "power": _power, "typeset": _typeset}
    training, test = findings.experiment.training, findings.experiment.test
    return environment.get_template("report.html").render(
        findings=findings,
        training=training,
        n_parameters=sum(W.size for W in training.network.parameters.values()),
        m=findings.before.tensors["X"].shape[1],
        version=autotiny.__version__,
        equations=flagship.equations(),
        steps=page.steps(findings.derivations["Z2"]),
        derived={name: page.equation(derivation) for name, derivation in findings.derivations.items()},
        derivations=findings.derivations,
        entry=repr(findings.derivations["Z1"].elements()).splitlines(),
        graph=svg_or_none(findings.picture),
        mosaic=_mosaic(findings),
        strips=_strips(findings),
        largest_dZ2=float(np.abs(findings.after.dZ2[:, :STRIP]).max()),
        loss=curves.loss(training),
        accuracy=curves.accuracy(training),
        test=test,
        most_wrong=MOST_WRONG,
    )


def svg_or_none(picture: Picture) -> str | None:
    """The picture, where there is a Graphviz to lay it out."""
    try:
        return picture.svg
    except GraphvizMissingError:
        return None


def _mosaic(findings: Findings) -> list[str]:
    """Rows of digits to open the page with."""
    digits = findings.experiment.test
    rows = digits.X.T[: MOSAIC[0] * MOSAIC[1]].reshape(*MOSAIC, *digits.shape)
    return [images.ink(*row) for row in rows]


def _strips(findings: Findings) -> dict[str, str]:
    """The first digits of the batch, and what A2 - Y is at each, before and after training."""
    digits = findings.experiment.train.take(np.arange(STRIP))
    checks = {"before": findings.before, "after": findings.after}
    return {
        "digits": images.ink(*digits.X.T.reshape(-1, *digits.shape)),
        "Y": images.heat(findings.before.tensors["Y"].data[:, :STRIP]),
        **{f"A2 {when}": images.heat(check.tensors["A2"].data[:, :STRIP]) for when, check in checks.items()},
        **{f"dZ2 {when}": images.heat(check.dZ2[:, :STRIP]) for when, check in checks.items()},
    }


def _percent(share: float, digits: int = 1) -> str:
    return f"{share:.{digits}%}"


def _typeset(number: float) -> str:
    """Seven digits, with a minus as wide as a plus."""
    return f"{number:.7g}".replace("-", "−")


def _power(number: float) -> str:
    """4.1e-16 as 4.1 × 10⁻¹⁶."""
    if not 0 < number < np.inf:
        return f"{number:g}"
    digits, exponent = f"{number:.1e}".split("e")
    return f"{digits} × 10{str(int(exponent)).translate(RAISED)}"
