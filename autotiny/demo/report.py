"""The report: a self-contained HTML page."""

import io
import re
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

import autotiny
from autotiny.demo import flagship, predictions
from autotiny.demo.findings import Findings
from autotiny.derivation.derivation import equation, html_steps
from autotiny.drawing import GraphvizMissingError, Picture
from autotiny.drawing.figure import figure_script, figure_style, hash_of
from autotiny.errors import AutotinyError
from autotiny.nn import Training
from autotiny.notation.notations import SUPERSCRIPTS
from autotiny.notation.palette import css_variables

# ----- learning curves, as SVG that takes its colours and font from the page -----

# Placeholder colours, replaced by variables of the page's style; INK becomes the colour of its text.
VARIABLES = {"#000001": "var(--training)", "#000002": "var(--validation)", "#000003": "var(--rule)"}
TRAINING, VALIDATION, RULE = VARIABLES
INK = "#000000"

NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
SIZE = 5.0, 2.9
"""Inches: the width of a phone, so that labels are not scaled there."""


def loss_curve(training: Training) -> str:
    """Plot the losses of training and validation by epoch, on a logarithmic scale."""
    history = training.history
    values = [epoch.loss for epoch in history], [epoch.validation_loss for epoch in history]
    return _chart("loss", *values, training.best_epoch)


def accuracy_curve(training: Training) -> str:
    """Plot the accuracies of training and validation by epoch."""
    history = training.history
    values = [epoch.accuracy for epoch in history], [epoch.validation_accuracy for epoch in history]
    return _chart("accuracy", *values, training.best_epoch)


def _chart(name: str, training: Sequence[float], validation: Sequence[float], best_epoch: int) -> str:
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

    # A Figure made directly needs neither pyplot's global state nor a display.
    figure = Figure(SIZE, layout="constrained")
    axes = figure.subplots()
    epochs = range(1, len(training) + 1)
    axes.plot(epochs, training, color=TRAINING, linewidth=1.8)
    axes.plot(epochs, validation, color=VALIDATION, linewidth=1.8, linestyle=(0, (4, 1.5)))
    axes.plot(best_epoch, validation[best_epoch - 1], "o", color=VALIDATION, markersize=6)
    axes.set_yscale("log" if name == "loss" else "linear")
    axes.yaxis.set_major_formatter(PercentFormatter(1, 0) if name == "accuracy" else StrMethodFormatter("{x:g}"))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("epoch")
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.tick_params(length=0, which="both")
    axes.spines[:].set_visible(False)
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata=NO_METADATA)
    return _embeddable(buffer.getvalue(), name)


def _embeddable(svg: str, prefix: str) -> str:
    """Prepare an SVG for embedding: no size, fonts, style sheet or colours of its own, and ids with a prefix."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;\"]*;?", "", svg)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{prefix}-", svg)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, variable)
    return svg.replace(INK, "currentColor")


# ----- the page -----

MISTAKES = 12
"""The largest number of mistakes that are shown."""
MOSAIC = 5, 6
"""Rows and columns of digits at the top of the page."""
STRIP = 25
"""The number of digits whose A2 - Y is shown, limited by the width of a phone."""


class ExtraMissingError(AutotinyError):
    """A library of the extra `lab`, which the report needs, is not installed."""


def require_lab() -> None:
    """Raise ExtraMissingError if a library that the report needs is not installed."""
    missing = [name for name in ("jinja2", "matplotlib") if find_spec(name) is None]
    if missing:
        raise ExtraMissingError(f"demo: the report needs {' and '.join(missing)}: pip install 'autotiny[lab]'")


def render(findings: Findings) -> str:
    """Return the report as HTML text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("autotiny.demo"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "power": power_of_ten, "typeset": seven_digits}
    training, test = findings.experiment.training, findings.experiment.test
    return environment.get_template("report.html").render(
        colours=css_variables(),
        findings=findings,
        training=training,
        n_parameters=sum(W.size for W in training.network.parameters.values()),
        m=findings.before.tensors["X"].shape[1],
        version=autotiny.__version__,
        equations=flagship.equations(),
        steps=html_steps(findings.derivations["Z2"]),
        derived={name: equation(derivation) for name, derivation in findings.derivations.items()},
        derivations=findings.derivations,
        entry=repr(findings.derivations["Z1"].elements()).splitlines(),
        graph=svg_or_none(findings.picture) and findings.picture.figure,
        figure_style=figure_style(),
        script=figure_script(),
        script_hash=hash_of(figure_script()),
        mosaic=_mosaic(findings),
        strips=_strips(findings),
        largest_dZ2=float(np.abs(findings.after.dZ2[:, :STRIP]).max()),
        loss=loss_curve(training),
        accuracy=accuracy_curve(training),
        test=test,
        mistakes=findings.mistakes[:MISTAKES],
    )


def svg_or_none(picture: Picture) -> str | None:
    """Return the picture, or None if Graphviz is not installed."""
    try:
        return picture.svg
    except GraphvizMissingError:
        return None


def _mosaic(findings: Findings) -> list[str]:
    """Return rows of digits, each as one image."""
    digits = findings.experiment.test
    rows = digits.X.T[: MOSAIC[0] * MOSAIC[1]].reshape(*MOSAIC, *digits.shape)
    return [predictions.ink(*row) for row in rows]


def _strips(findings: Findings) -> dict[str, str]:
    """Return images of the first digits of the batch, and of A2, Y and dZ2 for them, before and after training."""
    digits = findings.experiment.train.take(np.arange(STRIP))
    checks = {"before": findings.before, "after": findings.after}
    return {
        "digits": predictions.ink(*digits.X.T.reshape(-1, *digits.shape)),
        "Y": predictions.heat(findings.before.tensors["Y"].data[:, :STRIP]),
        **{f"A2 {when}": predictions.heat(check.tensors["A2"].data[:, :STRIP]) for when, check in checks.items()},
        **{f"dZ2 {when}": predictions.heat(check.dZ2[:, :STRIP]) for when, check in checks.items()},
    }


def _percent(fraction: float, digits: int = 1) -> str:
    return f"{fraction:.{digits}%}"


def seven_digits(number: float) -> str:
    """Write a number with seven digits and a typographic minus."""
    return f"{number:.7g}".replace("-", "−")


def power_of_ten(number: float) -> str:
    """Write 4.1e-16 as 4.1 × 10⁻¹⁶."""
    if not 0 < number < np.inf:
        return f"{number:g}"
    digits, exponent = f"{number:.1e}".split("e")
    return f"{digits} × 10{str(int(exponent)).translate(SUPERSCRIPTS)}"
