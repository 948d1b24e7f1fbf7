"""Checkmarx One: everything about this Tool in one folder; NOTES.md says where its facts come from."""
