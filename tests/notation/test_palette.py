"""One palette for every picture and page."""

import re
from importlib.resources import files

import pytest

from autotiny.notation.palette import CARDS, GRADIENT, MUTED, ON_PAGES, TEXT, VALUE, WHITE, css_variables, rgb

STYLE = (files("autotiny.playground") / "static" / "style.css").read_text(encoding="utf-8")


def contrast(one, other):
    """The contrast of two colours by WCAG 2, from 1 to 21."""

    def luminance(colour):
        parts = (part / 255 for part in rgb(colour))
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("fill", [WHITE, *(fill for fill, _ in CARDS.values())])
@pytest.mark.parametrize("ink", [TEXT, MUTED, VALUE, GRADIENT])
def test_text_is_legible_on_every_card(ink, fill):
    assert contrast(ink, fill) >= 4.5


def test_variables_have_a_light_and_a_dark_value():
    light, dark = css_variables().split("@media (prefers-color-scheme: dark)")
    assert f"--gradient: {ON_PAGES['gradient'][0].lower()}" in light
    assert f"--gradient: {ON_PAGES['gradient'][1].lower()}" in dark


@pytest.mark.parametrize("name", ["value", "gradient", "good", "bad"])
def test_the_playgrounds_style_sheet_has_the_same_colours(name):
    written = re.findall(rf"--{name}: (#\w+)", STYLE)
    assert written == [colour.lower() for colour in ON_PAGES[name]]


@pytest.mark.parametrize("kind", ["variable", "data", "operation", "output"])
def test_the_playgrounds_legend_has_the_cards_colours(kind):
    (written,) = re.findall(rf"\.legend \.{kind}::before {{ background: (#\w+); border-color: (#\w+);", STYLE)
    assert written == tuple(colour.lower().replace("#ffffff", "#fff") for colour in CARDS[kind])
