"""How findings are said: a topic, a mark, a sentence, and the line that mends."""

from turgo.cli.doctor.findings import NOTE, WRONG, Finding, record, text

FOUND = [
    Finding("python", "3.13.0, /usr/bin/python"),
    Finding("config", "a sentence that is too long for one line of a terminal of forty columns", NOTE),
    Finding("packages", "attrs is absent", WRONG, "/usr/bin/python -m pip install 'attrs>=23.2' --and-more"),
]


def test_a_narrow_terminal_breaks_sentences_and_no_line_to_type() -> None:
    """What is to be copied stays whole."""
    lines = text(FOUND, 40).splitlines()
    assert any(line.endswith("-> /usr/bin/python -m pip install 'attrs>=23.2' --and-more") for line in lines)
    assert all(len(line) <= 40 for line in lines if "->" not in line)
    assert lines[-1] == "1 wrong, 1 to know of"


def test_a_pipe_gets_one_line_for_each() -> None:
    """However long."""
    assert len(text(FOUND, None).splitlines()) == len(FOUND) + 1 + 2


def test_a_text_of_several_lines_keeps_them() -> None:
    """As that of a flow that cannot be imported."""
    assert text([Finding("flow", "one\ntwo")], None).splitlines()[1].strip() == "two"


def test_machines_are_told_whether_all_is_well() -> None:
    """By a field, and the mark of each finding."""
    assert record(FOUND)["ok"] is False
    assert record(FOUND[:2])["ok"] is True
    assert [each["mark"] for each in record(FOUND)["findings"]] == ["ok", "note", "wrong"]
