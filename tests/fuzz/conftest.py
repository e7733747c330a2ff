"""Says at the end how many inputs each target was fed, and what became of them."""

from collections import Counter
from collections.abc import Mapping

import pytest

COUNTED = ("inputs", "accepted", "refused", "crashes")


def count_line(name: str, counts: Mapping[str, float]) -> str:
    """A target's counts, or those of all, for people."""
    numbers = ", ".join(f"{counts[word]:,} {word}" for word in COUNTED)
    return f"{name}: {numbers}, {counts['seconds']:.1f} s"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Writes a line for each target that was fed, and the total."""
    total, lines = Counter[str](), []
    for reports in terminalreporter.stats.values():
        for report in reports:
            for kind, (name, counts) in getattr(report, "user_properties", ()):
                if kind == "fuzz" and report.when == "call":
                    total.update(counts)
                    lines.append(count_line(name, counts))
    if lines:
        terminalreporter.section("fuzz")
        for line in [*sorted(lines), count_line("total", total)]:
            terminalreporter.write_line(line)
