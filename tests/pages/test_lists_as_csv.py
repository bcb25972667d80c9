"""Lists as files for a spreadsheet."""

from lrs.web.listing import Asked, ListColumn, ListRow, as_csv


def test_a_cell_of_a_file_has_no_control_character_and_acts_as_no_formula():
    asked = Asked("/list", (ListColumn("name", "Name"),), {}, "name", descending=False, part=1)

    body = as_csv(asked, [ListRow({"name": "=1+1\x00\x1b[2J"})], "list").body

    assert bytes(body).decode("utf-8-sig") == "Name\r\n'=1+1  [2J\r\n"
