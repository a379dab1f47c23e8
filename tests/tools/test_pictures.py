"""The README's pictures are those that the current code draws."""

import re

import pytest

import pictures


def contents(svg):
    """Return what does not depend on fonts: ids, words, shades and key frames."""
    patterns = (
        r'<path fill="([^"]+)" shape',
        r'\bid="([^"]+)"',
        r"<text[^>]*>([^<]*)",
        r"<title>([^<]*)",
        r"@keyframes.*",
    )
    return [re.findall(pattern, svg) for pattern in patterns]


@pytest.mark.parametrize("name", ["expression", "steps", "two_layers"])
def test_committed_picture_is_current(name, tmp_path):
    getattr(pictures, name)(tmp_path)
    fresh, committed = ((folder / f"{name}.svg").read_text(encoding="utf-8") for folder in (tmp_path, pictures.FOLDER))
    assert contents(fresh) == contents(committed)


def test_changed_picture_is_noticed(tmp_path):
    pictures.expression(tmp_path)
    svg = (tmp_path / "expression.svg").read_text(encoding="utf-8")
    assert contents(svg) != contents(svg.replace(">7<", ">8<"))
