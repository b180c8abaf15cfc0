"""What `make test` has beside pytest-xdist: workers that begin with what lasts longest, and a line of progress."""
