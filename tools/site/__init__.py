"""What the site is made of beside its pages: docstrings in their own form, the list of errors."""
