"""What commands say of the variables that they were started with."""

from lrs.tenancy.options import tell_unknown


def test_a_variable_that_nothing_reads_is_named_and_its_value_is_not_shown(monkeypatch, capsys):
    monkeypatch.setenv("LRS_COLOUR", "a secret")
    monkeypatch.setenv("LRS_DATA", "data")

    tell_unknown()

    told = capsys.readouterr()
    assert "LRS_COLOUR is not a setting of ours: correct its name, or take it away\n" in told.err
    assert "LRS_DATA" not in told.err
    assert (told.out, "a secret" in told.err) == ("", False)
