"""The operator's page: follows the log of verdicts and shows it in a browser, live; without a model and TensorFlow."""
