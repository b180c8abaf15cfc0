"""What a release is made of, checked: `python -m tools.release FOLDER`, and `make release-check` builds it before."""
