"""The process that makes, starts, watches and stops an embedded server; standard library only, so that it stays small.

It runs outside the package (`python -I -S`, see embedded.py), hence the relative imports among these files.
"""
