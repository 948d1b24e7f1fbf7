"""A DefectDojo on loopback that behaves as its source code says and as running servers did (2.50.4 and 3.2.0)."""
