"""Text from outside stays text in Markdown; the examples are CommonMark's and GFM's own special characters."""

import pytest

from drae_data.markdown import code, document, plain, table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("S0001/r3", "S0001/r3"),
        ("exposure_outlier", "exposure_outlier"),
        ("_a_", "\\_a\\_"),
        ("**bold** `code`", "\\*\\*bold\\*\\* \\`code\\`"),
        ("<script>", "\\<script\\>"),
        ("[a](b)", "\\[a\\](b)"),
        ("a|b", "a\\|b"),
        ("# head", "\\# head"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("1.0.0", "1.0.0"),
        ("two\nlines", "two\\\\nlines"),
        ("&lt;", "\\&lt;"),
        ("back\\slash", "back\\\\slash"),
    ],
)
def test_special_characters_are_escaped(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_code_is_fenced_by_more_backticks_than_it_holds() -> None:
    assert code("abc") == "`abc`"
    assert code("a`b``c") == "```a`b``c```"
    assert code("`") == "`` ` ``"
    assert code("a|b") == "`a\\|b`"
    assert code("") == "` `"


def test_a_document_has_one_empty_line_between_its_parts() -> None:
    text = document("T", {"": ["first"], "One": table(("a", "b"), [("x", "1")], numbers=1), "Two": ["last"]})
    assert text == "# T\n\nfirst\n\n## One\n\n| a | b |\n| --- | ---: |\n| x | 1 |\n\n## Two\n\nlast\n"
