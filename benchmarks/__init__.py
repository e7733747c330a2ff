"""What is fast, against what: each module prints a table for people and, last, one line of JSON with the ratios."""
