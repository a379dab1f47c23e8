"""The command `autotiny demo`."""

import argparse
import sys
import textwrap
import time
from pathlib import Path

import autotiny as at
from autotiny import nn
from autotiny.demo.findings import BATCH, Experiment, Findings, comparison_table, derivation_table, derivations
from autotiny.demo.flagship import Check, check
from autotiny.demo.predictions import predictions
from autotiny.demo.report import render, require_lab, svg_or_none
from autotiny.drawing import Picture

EPOCHS = 60

EXAMPLES = """\
examples:
  autotiny demo                 write report/report.html and report/graph.svg
  autotiny demo --out digits    write them to digits/

The exit code is 1 where autograd and the textbook differ, or where the network
reads fewer than 96% of the held-out digits.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser the arguments of `autotiny demo`."""
    parser.add_argument("--out", metavar="DIR", type=Path, default="report", help="the folder for the report (report)")


def run(args: argparse.Namespace) -> int:
    """Run the demonstration; 0, or 1 where a check did not hold."""
    faults = demonstrate(args.out).faults
    if faults:
        print(f"autotiny: a check did not hold: {'; '.join(faults)}", file=sys.stderr)
    return 1 if faults else 0


def demonstrate(out: Path, epochs: int = EPOCHS) -> Findings:
    """Check, draw, train, check again and report.

    Writes `report.html`, and `graph.svg` where there is a Graphviz, to the folder `out`. Raises ExtraMissingError
    where the report cannot be made.
    """
    require_lab()
    start = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    experiment = Experiment.on_digits()
    print(f"autotiny {at.__version__}: backpropagation, checked on real handwritten digits\n")

    sizes = "-".join(map(str, experiment.training.network.sizes))
    print(f"1. The network {sizes} on {BATCH} digits: by hand and by autograd\n")
    before = _check(experiment)
    print("\n2. The formulas, derived from the recorded graph\n", flush=True)
    derived = derivations(before)
    print(textwrap.indent(derivation_table(derived), "   "))
    print("\n3. The graph itself\n")
    picture = _draw(before, out / "graph.svg")
    print(f"\n4. Gradient descent on {len(experiment.train)} digits, and the same comparison\n", flush=True)
    seconds = _train(experiment, epochs)
    after = _check(experiment)
    print(f"\n5. The {len(experiment.test)} digits that were held out\n")
    predicted = predictions(experiment.test, experiment.probabilities())
    findings = Findings(experiment, before, after, derived, picture, predicted, seconds)
    print(f"   {len(predicted) - len(findings.mistakes)} read right: {findings.accuracy:.1%}\n")

    report = out / "report.html"
    report.write_text(render(findings), encoding="utf-8")
    print(f"{report}: open it in a browser ({time.perf_counter() - start:.1f} s)")
    return findings


def _check(experiment: Experiment) -> Check:
    result = check(*experiment.batch(), experiment.training.network.values())
    print(textwrap.indent(comparison_table(result), "   "))
    return result


def _draw(result: Check, path: Path) -> Picture:
    picture = at.draw(result.tensors["J"])
    svg = svg_or_none(picture)
    if svg is None:
        print("   not drawn: Graphviz is missing; pip install 'autotiny[lab]' installs one")
    else:
        path.write_text(svg, encoding="utf-8")
        print(f"   {path}: {len(picture.cards)} values, each with its gradient")
    return picture


def _train(experiment: Experiment, epochs: int) -> float:
    """Train, and return the seconds that it took."""
    training, start = experiment.training, time.perf_counter()
    with nn.progress_bar(epochs) as report:
        training.run(experiment.train, experiment.validation, epochs, report)
    if training.interrupted:
        raise KeyboardInterrupt
    seconds = time.perf_counter() - start
    print(f"   {epochs} epochs in {seconds:.1f} s; kept: epoch {training.best_epoch}, of the lowest validation loss\n")
    return seconds
