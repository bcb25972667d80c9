"""What is collected without being asked for, and which worker rewrites what."""

from types import SimpleNamespace

import pytest
from _pytest.assertion import rewrite

from tests import collecting


def config(*named, here, asked="not soak and not browser"):
    """Of a run in the folder *here*."""
    said = {"invocation_params": SimpleNamespace(dir=here), "option": SimpleNamespace(markexpr=asked)}
    return SimpleNamespace(args=list(named), **said)


@pytest.mark.parametrize("mark", ["soak", "browser"])
def test_a_folder_is_read_only_if_its_tests_are_asked_for(mark, tmp_path):
    folder = collecting.APART[mark]

    assert folder.is_dir()
    assert collecting.pytest_ignore_collect(folder, config(here=tmp_path))
    assert collecting.pytest_ignore_collect(folder, config(here=tmp_path, asked=mark)) is None
    assert collecting.pytest_ignore_collect(tmp_path / mark, config(here=tmp_path)) is None


def test_what_lies_in_such_a_folder_has_its_mark_also_if_it_does_not_say_so(request):
    marked = []
    soaks = SimpleNamespace(path=collecting.APART["soak"] / "test_new.py", add_marker=marked.append)
    usual = SimpleNamespace(path=request.path, add_marker=marked.append)

    collecting.pytest_collection_modifyitems([soaks, usual])

    assert marked == ["soak"]


def test_modules_are_those_below_what_is_named(tmp_path):
    for name in ("a/test_one.py", "a/conftest.py", "a/helper.py", "b/test_two.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def found(*named):
        return [module.name for module in collecting.modules(config(*named, here=tmp_path))]

    assert sorted(found(str(tmp_path))) == ["conftest.py", "test_one.py", "test_two.py"]
    assert found("b/test_two.py::test_it[case]", "a") == ["test_two.py", "conftest.py", "test_one.py"]


def test_each_worker_rewrites_a_part_and_what_it_wrote_is_what_pytest_reads(tmp_path, request, monkeypatch):
    modules = [tmp_path / f"test_{name}.py" for name in "abcd"]
    for module in modules:
        module.write_text("def test_it():\n    given = 1\n    assert given == 2\n")
    monkeypatch.setattr(request.config, "args", [str(tmp_path)])
    monkeypatch.setattr(request.config, "workerinput", {"workerid": "gw1", "workercount": 3}, raising=False)

    collecting.pytest_sessionstart(request.session)

    kept = [rewrite.get_cache_dir(module) / f"{module.stem}{rewrite.PYC_TAIL}" for module in modules]
    read = [rewrite._read_pyc(module, pyc) for module, pyc in zip(modules, kept, strict=True)]  # noqa: SLF001
    assert [code is not None for code in read] == [False, True, False, False]
    names = {}
    exec(read[1], names)
    with pytest.raises(AssertionError, match="assert 1 == 2"):
        names["test_it"]()
    assert not collecting.rewritten(modules[1], request.config)
    modules[1].write_text("def test_it():\n    assert True\n")
    assert collecting.rewritten(modules[1], request.config)


def test_a_module_that_is_no_python_is_left_to_collecting_which_says_so(tmp_path, request, monkeypatch):
    (tmp_path / "test_wrong.py").write_text("def test_it(:\n")
    monkeypatch.setattr(request.config, "args", [str(tmp_path)])
    monkeypatch.setattr(request.config, "workerinput", {"workerid": "gw0", "workercount": 1}, raising=False)

    collecting.pytest_sessionstart(request.session)
