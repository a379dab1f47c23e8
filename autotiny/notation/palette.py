"""The colours of every picture and page: Okabe and Ito's, which colour-blind readers can tell apart.

Text and numbers have darker ones: their contrast with white and with the fill of every card is at least 4.5 to 1.
"""

ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
WHITE, NEUTRAL = "#FFFFFF", "#F7F7F7"

TEXT, MUTED, LINE = "#111111", "#666666", "#808080"
VALUE, GRADIENT, GOOD, BAD = "#0067A0", "#A34700", "#00704F", "#B3261E"
PILL, PILL_TEXT, HEAT_BORDER = "#F4F4F4", "#444444", "#C8C8C8"

# The fill and the border of each kind of card: readable on light and dark pages alike.
CARDS = {
    "data": ("#E3F2FB", BLUE),
    "variable": ("#FFF1D6", ORANGE),
    "constant": ("#EEEEEE", "#999999"),
    "operation": (WHITE, SKY),
    "output": ("#DDF3EA", GREEN),
    "group": ("#F3EEF8", PURPLE),
    "gradient": ("#FDF0E7", VERMILLION),
}

# Each colour on a light and on a dark page.
ON_PAGES = {
    "value": (VALUE, "#6CBCF0"),
    "gradient": (GRADIENT, "#F2A65A"),
    "good": (GOOD, "#45C99C"),
    "bad": (BAD, "#FF8A80"),
    "blue": (BLUE, SKY),
    "vermillion": (VERMILLION, "#F0913A"),
    "positive": (VERMILLION, VERMILLION),  # heat maps do not change with the page
    "negative": (BLUE, BLUE),
}


def rgb(colour: str) -> tuple[int, int, int]:
    """Return the red, green and blue of a colour.

    >>> rgb(VERMILLION)
    (213, 94, 0)
    """
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def mix(start: str, end: str, share: float) -> str:
    """Return the colour a share of the way from one to another.

    >>> mix("#000000", "#FF8000", 0.5)
    '#804000'
    """
    return "#" + "".join(f"{round(a + share * (b - a)):02X}" for a, b in zip(rgb(start), rgb(end), strict=True))


def css_variables(selector: str = ":root") -> str:
    """Return the colours on pages as CSS: variables such as `--gradient`, which follow the reader's light or dark."""
    light, dark = (
        "; ".join(f"--{name}: {colours[page]}" for name, colours in ON_PAGES.items()).lower() for page in (0, 1)
    )
    return f"{selector} {{ {light} }}\n@media (prefers-color-scheme: dark) {{ {selector} {{ {dark} }} }}\n"
