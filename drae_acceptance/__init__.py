"""From scores to thresholds, verdicts and the acceptance report: numpy, SciPy and pyarrow; no TensorFlow, no Beam."""
