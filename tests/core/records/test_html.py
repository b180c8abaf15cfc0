"""Tables of HTML that any page can hold."""

from html.parser import HTMLParser

from turgo.records.html import Markup, bar, bold, paragraph, preformatted, table


class Tags(HTMLParser):
    """Collects the texts, and holds tags to their ends."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_text_is_escaped_and_markup_is_not() -> None:
    """Whatever a task is called."""
    found = Tags(table(bold("<script>"), ["task", ""], [["a & b", bar(1, 1, 4)]], right=(1,)))
    assert found.open == []
    assert "<script>" in found.texts and "a & b" in found.texts
    for each in (paragraph("<i>"), preformatted("<i>\n x")):
        assert isinstance(each, Markup) and "&lt;i&gt;" in each


def test_a_bar_of_nothing_is_empty() -> None:
    """A map over no elements."""
    assert "width:0.0%" in bar(0, 0, 0)


def test_a_table_without_rows_is_its_title() -> None:
    """A flow without parameters."""
    assert "<td" not in table("flow", ["parameter"], [])
