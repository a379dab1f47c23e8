"""What a release says of itself is the same everywhere, and a reader of the API reference finds every public name."""

import re
from pathlib import Path

import api
import pytest

import autotiny
import package
from autotiny import nn

ROOT = Path(__file__).parents[2]
EXAMPLE = "```python\n{code}```\n\n```text\n7.0\n```\n"


@pytest.mark.parametrize(
    ("name", "pattern"), [("CITATION.cff", r"^version: (.*)$"), ("CHANGELOG.md", r"^## \[(\d.*?)\]")]
)
def test_the_newest_version_is_the_package_s(name, pattern):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert re.search(pattern, text, re.M)[1] == autotiny.__version__


def test_reference_has_every_public_name_and_what_a_tensor_has_beyond_an_array():
    headings = re.findall(r"^###+ `(.*)`$", api.reference(), re.M)
    public = {*(f"at.{name}" for name in autotiny.__all__), *(f"nn.{name}" for name in nn.__all__)}
    assert public <= set(headings)
    assert {"Tensor.backward", "Tensor.grad", "Tensor.detach"} <= set(headings)
    assert not {"Tensor.reshape", "Tensor.itemset"} & set(headings)  # NumPy's, and what NumPy removed
    assert len(headings) == len(set(headings))


@pytest.mark.parametrize(
    "code", ["print(8.0)\nopen('network.svg', 'w').close()\n", "print(7.0)\n", "1 / 0\n"], ids=["text", "file", "error"]
)
def test_an_example_that_does_something_else_stops_a_release(code, tmp_path, monkeypatch):
    (tmp_path / "README.md").write_text(EXAMPLE.format(code=code), encoding="utf-8")
    monkeypatch.setattr(package, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match="expected of the README's first example"):
        package.require_what_the_readme_prints(package.sys.executable, str(tmp_path))


def test_every_parameter_is_an_item_of_its_own():
    docstring = "Parameters\n----------\ndata : copied, since\n    x_i\nrequires_grad : whether a_b is wanted"
    items = ["- **data** : copied, since", r"    x\_i", r"- **requires_grad** : whether a\_b is wanted"]
    assert list(api.as_markdown(docstring)) == ["**Parameters**", "", *items, ""]
