"""The outline of a graph, in each form that it can be looked at."""

from __future__ import annotations

import html

import attrs

from turgo.outlines.shapes import Shapes


@attrs.frozen
class Outline(Shapes):
    """What a graph looks like. Each form is made when it is asked for, and what makes it is loaded then."""

    def __str__(self) -> str:
        """The tree, in plain lines."""
        from turgo.outlines.tree import plain_lines

        return "\n".join(plain_lines(self))

    def to_mermaid(self) -> str:
        """The source of a flowchart, as GitHub, GitLab and Jupyter draw it in a block ```` ```mermaid ````."""
        from turgo.outlines.mermaid import mermaid

        return mermaid(self)

    def to_svg(self) -> str:
        """A picture, laid out by Graphviz. Raises MissingPackageError if pygraphviz is not installed."""
        from turgo.outlines.svg import svg

        return svg(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: the picture; without pygraphviz, the tree."""
        from turgo.outlines.svg import installed, svg

        return svg(self) if installed() else f"<pre>{html.escape(str(self))}</pre>"
