import re

import numpy as np

from autotiny.demo import flagship
from autotiny.demo.report import MISTAKES, power_of_ten, seven_digits
from autotiny.drawing.figure import hash_of

SVG = "{http://www.w3.org/2000/svg}"


def classed(tree, tag, name):
    return [element for element in tree.iter(tag) if name in element.get("class", "").split()]


def text(element):
    return " ".join("".join(element.itertext()).split())


def test_page_loads_nothing(demonstration):
    links = {element.get("href") for element in demonstration.tree.iter("a")}
    assert links == {"https://doi.org/10.24432/C50P49"}
    addresses = re.findall(
        r'(?:src|href|action|data|poster|srcset)="(?!data:image/png;base64,|#|https://doi\.org)', demonstration.page
    )
    assert addresses == []
    assert not re.search(r"@import|url\((?!#)|<script[^>]|<link|<iframe", demonstration.page)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in demonstration.page


def test_page_allows_its_only_script_by_its_hash(demonstration):
    (script,) = re.findall("<script>(.*?)</script>", demonstration.page, re.DOTALL)
    assert f"script-src '{hash_of(script)}'\"" in demonstration.page


def test_page_names_each_part_once(demonstration):
    ids = [element.get("id") for element in demonstration.tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids)) > 20
    referred = re.findall(r'(?:href="#|url\(#|aria-labelledby=")([^"\s)]+)', demonstration.page)
    assert set(referred) <= set(ids)


def test_page_says_what_was_found(demonstration):
    findings, page = demonstration.findings, text(demonstration.tree)
    assert f"{findings.accuracy:.1%}" in page
    assert power_of_ten(findings.largest_error) in page
    assert "should not be" not in page


def test_tables_compare_six_gradients_before_and_after_training(demonstration):
    tables = classed(demonstration.tree, "table", "comparison")
    for table, check in zip(tables, (demonstration.findings.before, demonstration.findings.after), strict=True):
        assert [text(heading) for heading in table.find("thead").iter("th")] == [
            "Gradient",
            "By hand",
            "Autograd",
            "Error",
        ]
        for line, row in zip(table.find("tbody"), check.report.rows, strict=True):
            assert text(line[0]).startswith(f"∂J/∂{row.name}")
            assert text(line[1]) == seven_digits(row.analytic[row.index])
            assert text(line[2]) == seven_digits(row.autograd[row.index])
            assert text(line[3]) == f"{power_of_ten(row.error)}agrees"


def test_page_states_the_six_formulas_and_the_convention(demonstration):
    _, backward = classed(demonstration.tree, "dl", "formulas")
    assert [text(formula) for formula in backward.iter("dt")] == [
        "dZ2 = A2 − Y",
        "dW2 = 1⁄m dZ2 A1⊤",
        "db2 = 1⁄m Σ dZ2",
        "dZ1 = W2⊤dZ2 · 1[Z1 > 0]",
        "dW1 = 1⁄m dZ1 X⊤",
        "db1 = 1⁄m Σ dZ1",
    ]
    assert "∂J/∂Z2 = (A2 − Y) / m" in text(demonstration.tree)


def test_code_on_the_page_computes_the_loss_that_was_recorded(demonstration):
    tensors = demonstration.findings.before.tensors
    code = next(demonstration.tree.iter("pre")).find("code").text
    assert code.splitlines() == flagship.equations().splitlines()
    names = {name: tensors[name].data for name in ("X", "Y", "W1", "b1", "W2", "b2")} | {"np": np, "m": 100}
    exec(code, names)
    np.testing.assert_allclose(names["J"], tensors["J"].data, rtol=1e-14)


def test_page_holds_the_graph_and_both_curves(demonstration):
    drawn = list(demonstration.tree.iter(f"{SVG}svg"))
    assert len(drawn) == 3
    words = text(drawn[0])
    assert all(name in words for name in ("W1", "b1", "Z1", "A1", "W2", "b2", "Z2", "A2", "maximum(0, Z1)", "exp(Z2)"))


def test_pictures_have_words_for_those_who_do_not_see_them(demonstration):
    images = list(demonstration.tree.iter("img"))
    assert len(images) > 30
    assert all(image.get("alt") is not None for image in images)
    for chart in classed(demonstration.tree, "figure", "chart"):
        assert "validation from" in chart.find("div").get("aria-label")


def test_confusion_matrix_counts_every_held_out_digit(demonstration):
    (table,) = classed(demonstration.tree, "table", "confusion")
    counts = np.array([[int(cell.text) for cell in line.iter("td")] for line in table.find("tbody")])
    predictions = demonstration.findings.predictions
    assert counts.shape == (10, 10)
    assert counts.sum() == len(predictions)
    assert np.trace(counts) == sum(prediction.correct for prediction in predictions)


def test_mistakes_are_shown_the_most_confident_first(demonstration):
    (shown,) = classed(demonstration.tree, "ul", "mistakes")
    mistakes = demonstration.findings.mistakes[:MISTAKES]
    assert [text(item)[:11] for item in shown] == [f"{mistake.label} read as {mistake.digit}" for mistake in mistakes]
    confidences = [mistake.confidence for mistake in mistakes]
    assert confidences == sorted(confidences, reverse=True)


def test_numbers_are_written_as_people_write_them():
    assert power_of_ten(4.14e-16) == "4.1 × 10⁻¹⁶"
    assert power_of_ten(0.0) == "0"
    assert power_of_ten(np.inf) == "inf"
    assert seven_digits(-1.25e-5) == "−1.25e−05"


def test_page_derives_the_formulas_from_the_graph(demonstration):
    derivations = demonstration.findings.derivations
    assert {name: derivation.formula for name, derivation in derivations.items()} == {
        "Z2": "(A2 - Y) / m",
        "W2": "dZ2 A1ᵀ",
        "b2": "sum(dZ2, axis=1)",
        "Z1": "W2ᵀ dZ2 * 1[Z1 > 0]",
        "W1": "dZ1 Xᵀ",
        "b1": "sum(dZ1, axis=1)",
    }
    (steps,) = classed(demonstration.tree, "div", "steps")
    rows = list(steps.find("table").find("tbody"))
    assert [text(row[1]) for row in rows][:2] == ["the chain rule", derivations["Z2"].steps[0].rule]
    assert len(rows) == len(derivations["Z2"].steps) + 1
    (others,) = classed(demonstration.tree, "ul", "derived")
    assert len(others) == 5
    (entry,) = classed(demonstration.tree, "p", "entry")
    assert text(entry).startswith("dJ/dZ1[j, i] = Σ_k dJ/dZ2[k, i] · dZ2[k, i]/dA1[j, i] · dA1[j, i]/dZ1[j, i]")
    assert "sum(Y, axis=0) = 1" in text(demonstration.tree)
