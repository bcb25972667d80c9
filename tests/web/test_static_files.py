"""The style sheet, the scripts and the icon of our pages."""

from lrs.web.static_files import files


def test_what_pages_load_is_kept_without_end_and_what_is_not_there_is_not(lrs):
    told = {name: lrs.clients[0].get(f"{lrs.address}/static/{name}") for name in [*files(), "look.css"]}

    gone = told.pop("look.css")
    assert gone.status_code == 404
    assert "immutable" not in gone.headers.get("cache-control", "")
    for name, answer in told.items():
        body, kind = files()[name]
        assert (answer.status_code, answer.content) == (200, body), name
        assert answer.headers["content-type"].partition(";")[0] == kind, name
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable", name
