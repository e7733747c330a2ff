"""Parameters by dotted names, each as text."""

from drae_data.named_values import named_values, value_text


def test_values_are_json_but_for_texts() -> None:
    values = ["text", "", None, True, [1, 2], {"b": 1, "a": "ä"}]
    assert [value_text(value) for value in values] == ["text", '""', "null", "true", "[1, 2]", '{"a": "ä", "b": 1}']


def test_objects_and_pairs_are_entered_and_other_lists_stay_whole() -> None:
    layout = {"by": "", "layouts": [["", {"boxes": [["R0", [[1, 2, 3, 4]]]], "units": "pixels"}]]}
    assert list(named_values("strip_layout", layout)) == [
        ("strip_layout.by", '""'),
        ("strip_layout.layouts.boxes.R0", "[[1, 2, 3, 4]]"),
        ("strip_layout.layouts.units", "pixels"),
    ]
    assert list(named_values("", {"b": {}, "a": [1], "c": []})) == [("a", "[1]"), ("b", "{}"), ("c", "[]")]
