"""The command line as a whole: every command is where the table says, and only what is used is loaded."""

import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

from lrs.cli import COMMANDS, LINES, main


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_help_is_the_first_sentence_of_the_commands_own(name):
    module, _, attribute = COMMANDS[name].partition(":")
    command = getattr(import_module(module), attribute)

    assert isinstance(command, click.Command)
    assert command.name == name
    assert LINES[name] in {(command.help or "").partition("\n")[0], command.get_short_help_str(200)}


def test_help_lists_every_command_and_loads_none_of_them():
    code = (
        "import sys; from click.testing import CliRunner; from lrs.cli import main\n"
        "print(CliRunner().invoke(main, ['--help']).output)\n"
        "heavy = ('fastapi', 'celery', 'pyld', 'badges', 'pymongo')\n"
        "print([name for name in sys.modules if name.split('.')[0] in heavy])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "  doctor      Look for what is wrong, and say what to do about it.\n" in told
    assert [name for name in COMMANDS if f"\n  {name} " not in told] == []
    assert told.endswith("\n[]\n")


def test_a_command_that_is_not_there_is_refused():
    answer = CliRunner().invoke(main, ["frobnicate"])

    assert answer.exit_code == 2
    assert "No such command 'frobnicate'" in answer.output


def test_a_setting_that_cannot_be_read_ends_a_command_with_its_name_and_never_its_value(tmp_path):
    environment = {"LRS_SWEEP": "s3cret", "LRS_MAX_PAGE": "0"}

    answer = CliRunner().invoke(main, ["keys", "list", "--data", str(tmp_path)], env=environment)

    assert answer.exit_code == 1
    assert "LRS_MAX_PAGE: Input should be greater than 0; LRS_SWEEP: Input should be a valid number" in answer.output
    assert "s3cret" not in answer.output


def test_a_list_that_is_not_json_ends_a_command_too(tmp_path):
    answer = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path)], env={"LRS_OUTBOUND_ALLOW": "10.0.0.0/8"})

    assert answer.exit_code == 1
    assert 'PROBLEM settings: LRS_ settings: error parsing value for field "outbound_allow"' in answer.output
