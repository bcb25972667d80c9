"""One installation has one master key: another one starts nothing, and what is no key is named in a line."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from lrs.cli import main
from lrs.kernel.errors import Misconfigured
from lrs.kernel.settings import Settings
from lrs.storage import open_store
from lrs.tenancy import master_key
from lrs.tenancy.control import open_control, registered
from lrs.tenancy.open_tenants import Tenants
from lrs.tenancy.tenants import open_tenant, read_master_key
from tests.builders import store_in

ONE, OTHER = "ab" * 32, "cd" * 32


def run(*words, **settings):
    environment = {f"LRS_{name.upper()}": str(value) for name, value in settings.items()}
    answer = CliRunner().invoke(main, words, env=environment)
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer.exit_code, answer.output


def start(settings):
    tenants = Tenants(settings)
    tenants.start()
    tenants.close()


@pytest.fixture
def started(tmp_path):
    """A folder in which the product was started with the key ONE."""
    (tmp_path / "master.key").write_text(ONE)
    Tenants(Settings(data=tmp_path)).start()
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ("serve", "--port", "0"),
        ("work",),
        ("keys", "list"),
        ("badges", "list"),
        ("work", "status"),
        ("rebuild",),
        ("keys", "create", "--name", "x"),
    ],
    ids=" ".join,
)
def test_with_another_master_key_nothing_starts_and_the_file_is_named(started, words):
    (started / "master.key").write_text(OTHER)

    code, text = run(*words, "--data", str(started))

    assert code == 1
    assert text.startswith(f"Error: {started}/master.key is not the master key of this store: ")
    assert text.count("\n") == 1
    assert ONE not in text
    assert OTHER not in text


def test_a_celery_worker_with_another_master_key_does_not_start(started):
    (started / "master.key").write_text(OTHER)

    code, text = run("work", "--celery", "--data", str(started), celery_broker="redis://127.0.0.1:1/0")

    assert (code, "is not the master key of this store" in text) == (1, True)


def test_the_doctor_calls_another_master_key_a_problem(started):
    (started / "master.key").write_text(OTHER)
    (started / "master.key").chmod(0o600)

    code, text = run("doctor", "--data", str(started))

    assert code == 1
    assert f"PROBLEM master-key: {started}/master.key is not the master key of this store" in text


def test_the_right_key_starts_again_after_the_wrong_one(started):
    (started / "master.key").write_text(OTHER)
    assert run("keys", "list", "--data", str(started))[0] == 1

    (started / "master.key").write_text(ONE)

    assert run("keys", "list", "--data", str(started))[0] == 0


def test_a_store_whose_key_is_missing_is_told_so_and_no_other_key_is_made(started):
    (started / "master.key").unlink()

    code, text = run("keys", "list", "--data", str(started))

    assert code == 1
    assert text.startswith(f"Error: {started}/master.key is missing, the master key of a store that is there")
    assert not (started / "master.key").exists()


def test_a_start_that_was_killed_while_it_made_the_key_does_not_stop_the_next_one_with_its_process_number(tmp_path):
    (tmp_path / f".master.key.{os.getpid()}").write_text("ab")

    made = read_master_key(Settings(data=tmp_path))

    assert made == bytes.fromhex((tmp_path / "master.key").read_text())


def test_two_folders_with_keys_of_their_own_cannot_share_a_store(tmp_path, store_url):
    one = Settings(data=tmp_path / "one", store_url=store_url)
    two = Settings(data=tmp_path / "two", store_url=store_url)
    start(one)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "master.key").write_text(OTHER)

    refusal = pytest.raises(Misconfigured, match=r"two/master\.key is not the master key of this store")
    with refusal, registered(two, "default"):
        pass
    if store_url.startswith("sqlite"):  # on MongoDB the register of tenants is one, and refuses before
        with pytest.raises(Misconfigured, match=r"two/master\.key is not the master key of this store"):
            Tenants(two).start()

    start(one)


def test_a_store_of_an_earlier_version_takes_the_fingerprint_of_its_first_start(started):
    for file in (started / "control.db", started / "tenants" / "default" / "store.db"):
        store = open_store(f"sqlite:///{file}")
        store.write(lambda tx: tx.delete("master-key", "fingerprint")).result()
        store.close()

    assert run("keys", "create", "--name", "x", "--data", str(started))[0] == 0
    (started / "master.key").write_text(OTHER)
    assert run("keys", "list", "--data", str(started))[0] == 1


def test_of_two_starts_at_once_with_two_keys_one_is_refused(tmp_path, store_url):
    kept = []
    ready = threading.Barrier(2)

    def start_with(key):
        path = tmp_path / key[:2]
        path.write_text(key)
        settings = Settings(data=tmp_path / f"data-{key[:2]}", store_url=store_url, master_key_file=path)
        ready.wait()
        try:
            start(settings)
        except Misconfigured as error:
            kept.append(str(error))
        else:
            kept.append("started")

    threads = [threading.Thread(target=start_with, args=(key,)) for key in (ONE, OTHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    first, second = sorted(kept, key="started".__ne__)
    assert first == "started"
    assert "is not the master key of this store" in second


def test_the_fingerprint_is_no_part_of_the_key_and_differs_with_every_key():
    one, other = (master_key.fingerprint(bytes.fromhex(key)) for key in (ONE, OTHER))

    assert one == "e721c3615ea697db" + one[16:]
    assert (len(one), one == other, ONE[:8] in one) == (64, False, False)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is empty: expected at least 64 hexadecimal digits"),
        (" \n", "is empty: expected at least 64 hexadecimal digits"),
        ("zz" * 32, ": expected at least 64 hexadecimal digits"),
        ("00" * 31, ": expected at least 64 hexadecimal digits, found 62"),
        ("é" * 64, ": expected at least 64 hexadecimal digits"),
    ],
)
def test_a_file_that_holds_no_key_is_named_in_one_line(tmp_path, content, told):
    store_in(tmp_path)
    (tmp_path / "k").write_text(content)

    assert run("keys", "revoke", "k", "--data", str(tmp_path), master_key_file=tmp_path / "k") == (
        1,
        f"Error: the master key {tmp_path}/k{told if told.startswith(':') else f' {told}'}\n",
    )


def test_a_folder_or_a_pipe_in_the_place_of_the_key_is_named_in_one_line(tmp_path):
    store_in(tmp_path)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")

    for name in ("folder", "pipe"):
        assert run("keys", "revoke", "k", "--data", str(tmp_path), master_key_file=tmp_path / name) == (
            1,
            f"Error: the master key {tmp_path}/{name} is a folder or a device, not a file: name the file itself\n",
        )


_AS_NOBODY = """
import os, sys
from pathlib import Path
from lrs.tenancy import master_key
from lrs.kernel.errors import Misconfigured
os.setuid(65534)
try:
    master_key.read(Path(sys.argv[1]))
except Misconfigured as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_key_that_another_user_keeps_to_himself_is_named_with_whose_it_is():
    with TemporaryDirectory() as folder:  # what pytest makes is closed to others
        key = Path(folder) / "k"
        key.parent.chmod(0o755)
        key.write_text(ONE)
        key.chmod(0o600)

        said = subprocess.run([sys.executable, "-c", _AS_NOBODY, str(key)], capture_output=True, text=True, check=False)

    assert said.stdout == (
        f"the master key {key} cannot be read: it belongs to the user root, and this program runs as the user nobody\n"
    )


def test_files_are_their_owners_alone_whatever_the_umask_and_whosever_the_folder(tmp_path):
    (tmp_path / "data").mkdir(mode=0o755)
    before = os.umask(0)
    try:
        tenant = open_tenant(Settings(data=tmp_path / "data"))
        tenant.store.blobs.put([b"x" * 1_000])
        open_control(Settings(data=tmp_path / "data")).close()
        files = {path.relative_to(tmp_path): path.stat().st_mode & 0o777 for path in (tmp_path / "data").rglob("*")}
        tenant.store.close()
    finally:
        os.umask(before)

    names = {path.name for path in files}
    assert {"store.db", "store.db-wal", "store.db-shm", "store.db-horizon", "store.db-turn", "master.key"} <= names
    assert {oct(mode) for path, mode in files.items() if (tmp_path / path).is_dir()} == {"0o700"}
    assert {oct(mode) for path, mode in files.items() if "." in path.name and path.suffix != ".blobs"} == {"0o600"}


def test_files_that_an_earlier_version_left_open_are_closed_to_others_at_the_next_start(tmp_path):
    tenant = open_tenant(Settings(data=tmp_path))
    tenant.store.close()
    folder = tmp_path / "tenants" / "default"
    for path in folder.iterdir():
        path.chmod(0o644)

    tenant = open_tenant(Settings(data=tmp_path))
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}
    tenant.store.close()

    assert set(modes.values()) == {"0o600"}
    assert "store.db-wal" in modes
