"""The DRAE model: from shards to batches, networks, training, scores and an exported model."""
