import signal
import sys
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from autotiny.checking import closed_form
from autotiny.commands.demo import demonstrate
from autotiny.commands.main import main
from autotiny.demo.report import ExtraMissingError
from autotiny.nn.optimisers import GradientDescent


@pytest.fixture
def wrong_by_five_in_ten_thousand(monkeypatch):
    """The closed form of dZ1, off by a little."""
    right = closed_form.two_layer

    def wrong(*arrays, **by_name):
        passes = right(*arrays, **by_name)
        return passes | {"dZ1": 1.0005 * passes["dZ1"]}

    monkeypatch.setattr(closed_form, "two_layer", wrong)


@pytest.fixture
def without_graphviz(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", "")


def test_network_reads_96_percent_of_the_digits_it_never_saw(demonstration):
    findings = demonstration.findings
    assert len(findings.predictions) == 359
    assert findings.accuracy >= 0.96


@pytest.mark.parametrize("when", ["before", "after"])
def test_autograd_gives_the_textbooks_gradients_before_and_after_training(when, demonstration):
    check = getattr(demonstration.findings, when)
    assert [row.name for row in check.report.rows] == ["Z2", "W2", "b2", "Z1", "W1", "b1"]
    assert check.worst.error < (1e-14 if when == "before" else 1e-12)


def test_checks_that_hold_end_in_0(demonstration):
    assert demonstration.code == 0
    assert "a check did not hold" not in demonstration.err
    assert demonstration.out.count("   All six agree: the largest error is ") == 2
    assert f"read right: {demonstration.findings.accuracy:.1%}\n" in demonstration.out


def test_output_fits_80_columns_and_progress_goes_to_standard_error(demonstration):
    lines = demonstration.out.replace(str(demonstration.folder), "report").splitlines()
    assert max(map(len, lines)) <= 80
    assert "epoch 60 of 60" in demonstration.err
    assert "epoch 60 of 60" not in demonstration.out


def test_graph_is_saved_as_an_svg_of_its_own(demonstration):
    svg = (demonstration.folder / "graph.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"


def test_closed_form_that_is_a_little_wrong_ends_in_1(tmp_path, wrong_by_five_in_ten_thousand, capsys):
    assert main(["demo", "--out", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert err.endswith("autotiny: a check did not hold: autograd and the closed form differ\n")
    assert out.count("DIFFERS\n") == out.count("NOT all agree: the largest error is 5.0e-04") == 2
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "autograd and the closed form differ" in page
    differing = [line for line in ElementTree.fromstring(page).iter("tr") if "DIFFERS" in "".join(line.itertext())]
    assert len(differing) == 2
    for line in differing:
        by_hand, by_autograd = (float(line[i].text.replace("−", "-")) for i in (1, 2))
        assert by_hand / by_autograd == pytest.approx(1.0005, rel=1e-6)


def test_network_that_has_hardly_learnt_is_a_fault(tmp_path):
    findings = demonstrate(tmp_path, epochs=1)
    assert findings.faults == ["fewer than 96% of the held-out digits were read correctly"]
    assert "fewer than 96%" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_without_graphviz_the_report_shows_the_graph_as_a_table(tmp_path, without_graphviz, capsys):
    findings = demonstrate(tmp_path, epochs=1)
    assert "not drawn: Graphviz is missing; pip install 'autotiny[lab]' installs one" in capsys.readouterr().out
    assert not (tmp_path / "graph.svg").exists()
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "There is no Graphviz here" in page
    assert str(findings.picture) in "".join(ElementTree.fromstring(page).itertext())


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_missing_extra_is_reported_before_any_work(package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExtraMissingError, match=rf"the report needs {package}: pip install 'autotiny\[lab\]'"):
        demonstrate(tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_ctrl_c_while_training_ends_without_a_report(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(GradientDescent, "step", lambda *_: signal.raise_signal(signal.SIGINT))
    assert main(["demo", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "autotiny: stopped by Ctrl-C\n"
    assert not (tmp_path / "report.html").exists()


def test_a_derivation_that_does_not_hold_is_a_fault(demonstration):
    findings = demonstration.findings
    wrong = replace(findings.derivations["Z1"], engine=2 * findings.derivations["Z1"].engine)
    changed = replace(findings, derivations={**findings.derivations, "Z1": wrong})
    assert changed.faults == ["a derived formula disagrees with autograd"]
