"""The synthetic line: seeded acquisitions of vial strips on a back light, for tests and for the demo."""
