"""The commands of `turgo executors`, the certificate, and the project of `new`."""
