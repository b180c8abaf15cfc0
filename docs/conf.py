"""The site: Sphinx reads the pages of this folder as Markdown, and the docstrings; `make docs` builds it."""

import sys
from pathlib import Path

from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # for tools.site

from tools.site import (  # noqa: E402  (the line above makes it importable)
    command_help,
    docstrings,
    error_list,
    links,
    public_names,
)

from turgo import __version__  # noqa: E402  (as above)

project = "turgo"
release = version = __version__
copyright = "the authors of turgo, Apache-2.0"
html_title = f"turgo {__version__}"
html_theme = "furo"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["tables.css"]
smartquotes = False  # `--` is that of an option

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_click"]
default_role = "code"
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 90

linkcheck_retries = 2
linkcheck_timeout = 20  # seconds


def check_names(app, env):
    """Warn of a public name that no page shows."""
    shown = env.domaindata["py"]["objects"]
    for name in public_names.public_names():
        if name not in shown:
            logging.getLogger(__name__).warning("%s is on no page of the reference", name)


def setup(app):
    """Have docstrings read in the form of this house, and a page filled with the errors that there are."""
    app.connect("autodoc-process-docstring", docstrings.on_docstring)
    app.connect("sphinx-click-process-description", command_help.on_description)
    app.connect("source-read", error_list.on_source)
    app.connect("source-read", links.on_source)
    app.connect("env-check-consistency", check_names)
    return {"parallel_read_safe": True}
