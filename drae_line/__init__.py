"""On the line: frames of a strip to a verdict within its slot, the log of verdicts, the operator's page."""
