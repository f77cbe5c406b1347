"""Positions in text."""

from k8snetlint.source.text import Position, SourceFile


def test_every_line_ending_ends_a_line() -> None:
    source = SourceFile("a.yaml", "a\nb\r\nc\rd")
    assert [source.line(number) for number in (1, 2, 3, 4)] == ["a", "b", "c", "d"]
    assert source.position(7) == Position(4, 1)
    assert source.position(5) == Position(3, 1)
