"""Thin shells: one module per stage with `main(argv)`, the only importer of Apache Beam, and the params loader."""
