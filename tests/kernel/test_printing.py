"""How commands print for people."""

from lrs.kernel.printing import cell, print_record, print_table


def test_columns_stand_below_each_other_whatever_the_letters_of_a_name_take(capsys):
    print_table(["name", "since"], [["林小龍", "2026"], ["Zoe\u0308", "2027"]])

    assert capsys.readouterr().out == "NAME    SINCE\n林小龍  2026\nZoe\u0308     2027\n"


def test_what_a_column_shows_is_one_line_and_nothing_is_a_dash(capsys):
    values = (True, False, None, "", [], ["a", None, True], "two\nlines", 0, 1.5)

    print_record({"id": 7, "note": None}, as_json=False)

    assert [cell(one) for one in values] == ["yes", "no", "-", "-", "-", "a, -, yes", "two\\nlines", "0", "1.5"]
    assert capsys.readouterr().out == "id    7\nnote  -\n"
