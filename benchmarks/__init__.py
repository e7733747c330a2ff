"""What is fast, against what: each module prints a table for people and, last, one line of JSON with the ratios."""

# Says which kernels TensorFlow takes, before any module here imports TensorFlow.
import drae_model  # noqa: F401
