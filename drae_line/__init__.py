"""On the line: frames of a strip to a verdict within its slot, the log of verdicts, the operator's page."""

# Says which kernels TensorFlow takes, before any module here imports TensorFlow: scores are then those of `score`.
import drae_model  # noqa: F401
