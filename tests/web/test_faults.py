"""What a client is told of an error that is no refusal."""

import sqlite3
from contextlib import closing

import pytest

from lrs.kernel.errors import Damaged
from lrs.web.faults import refused_for


def error_of(path, query):
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.DatabaseError) as raised:
        connection.execute(query).fetchall()
    return raised.value


def damaged(path):
    """A file that opens, and a table of which every page is rubbish."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE thing (name TEXT)")
    connection.executemany("INSERT INTO thing VALUES (?)", [("x" * 500,)] * 100)
    connection.commit()
    connection.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    return path


def no_database(path):
    path.write_bytes(b"not a database" * 1_000)
    return path


@pytest.mark.parametrize("made", [damaged, no_database])
def test_a_store_that_turns_out_to_be_damaged_is_told_like_one_that_cannot_be_opened(tmp_path, made):
    told = refused_for(error_of(made(tmp_path / "store.db"), "SELECT * FROM thing"))

    assert (told.status, told.error) == (503, "unavailable")
    assert told.message == "the store of this tenant cannot be read at present; lrs doctor tells its operator why"
    assert dict(told.headers)["retry-after"] == "30"


def test_the_message_about_a_damaged_store_names_no_file():
    told = refused_for(Damaged("/data/store.db is damaged: restore it from a backup"))

    assert (told.status, "store.db" in told.message) == (503, False)


def test_any_other_error_of_the_store_is_a_fault_of_the_program(tmp_path):
    told = refused_for(error_of(tmp_path / "store.db", "SELECT * FROM none"))

    assert (told.status, told.error) == (500, "internal_error")
