"""Probely, sold as Snyk API & Web: everything about this Tool in one folder; NOTES.md says where facts come from."""
