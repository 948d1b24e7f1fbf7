"""Tenable Vulnerability Management: everything about this Tool in one folder; NOTES.md says where facts come from."""
