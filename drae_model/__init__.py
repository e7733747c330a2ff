"""The DRAE model: from shards to batches, networks, training, scores and an exported model."""

import os

# By itself TensorFlow takes its faster kernels (oneDNN) only on processors with AVX-512 VNNI; on others a training step
# would take twice as long. It reads this when it is imported; who sets the variable himself is obeyed.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
