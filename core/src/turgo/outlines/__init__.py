"""What a graph looks like: as a tree in a terminal, as Mermaid, as SVG; coloured by state once it ran.

Structure ──boxes──> Outline ──> tree, mermaid, svg
"""
