"""From acquisition folders to verified TFRecord shards: pure functions over frames, boxes, patches and records."""

# The code version that provenance names; pyproject.toml says the same.
__version__ = "0.1.0"
