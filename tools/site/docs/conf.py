"""Sphinx's configuration of the documentation site; tools/site/build.py copies the sources beside it and runs it."""

project = "autotiny"
author = "The autotiny authors"
copyright = "2026, the autotiny authors"  # noqa: A001 - Sphinx's name
extensions = ["myst_nb", "sphinx_design"]
html_theme = "pydata_sphinx_theme"
html_title = "autotiny"
html_logo = "icon.svg"
html_favicon = "icon.svg"
html_static_path = ["site.css", "mathjax.js"]
html_css_files = ["site.css"]
LONE = ("api", "playground", "tools/reference", "CONTRIBUTING", "CHANGELOG", "SECURITY")
html_sidebars: dict[str, list[str]] = {name: [] for name in LONE}  # a column of the section's pages would be empty
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
nb_execution_mode = "off"  # the notebooks keep their outputs, which the tests hold current
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath", "colon_fence"]
mathjax_path = "mathjax.js"  # a copy: no other host is asked
suppress_warnings = ["myst.header", "misc.highlighting_failure"]
