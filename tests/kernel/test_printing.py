"""How commands print for people."""

from lrs.kernel.printing import print_table


def test_columns_stand_below_each_other_whatever_the_letters_of_a_name_take(capsys):
    print_table(["name", "since"], [["林小龍", "2026"], ["Zoe\u0308", "2027"]])

    assert capsys.readouterr().out == "NAME    SINCE\n林小龍  2026\nZoe\u0308     2027\n"
