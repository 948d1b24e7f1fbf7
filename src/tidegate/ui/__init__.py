"""Pages: one file in pages/, one folder in templates/. A page asks one read, and renders."""
