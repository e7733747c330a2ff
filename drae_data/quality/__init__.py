"""Whether a published version is what its name says: what the build measured, rules over it, and a report."""
