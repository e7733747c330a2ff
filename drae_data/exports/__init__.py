"""A published version in the formats of other tools; the version itself stays what it is."""
