"""Watches a cluster in use, and acts on calls that last too long. They may be waiting or running."""
