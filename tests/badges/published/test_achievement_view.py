"""What the page about an achievement says, also of one that has only what the standard asks for."""

from badges.content.narrative import TextBlock, blocks, texts
from badges.published.achievement_view import achievement
from tests.badges.made import badge_in, put_award, run_issue, tenant_in


def test_an_issued_achievement_is_told_with_its_levels_and_where_it_comes_from(tmp_path):
    tenant = tenant_in(tmp_path)
    put_award(tenant)
    run_issue(tenant)
    stored = badge_in(tenant)[1]["credentialSubject"]["achievement"]

    assert achievement(stored, "Example Training", "an-id") == {
        "id": "an-id",
        "name": "Aseptic gowning: Practitioner",
        "issuer": "Example Training",
        "description": "Aseptic gowning at the level Practitioner (2 of 3).",
        "takes": [
            TextBlock("text", "Aseptic gowning, at the level Practitioner."),
            TextBlock(
                "text",
                "It is shown by results that trusted people and systems recorded. The badge names some of them, and"
                " says how many there are.",
            ),
            TextBlock("text", "From GMP skills, version 2."),
        ],
        "scales": [
            [
                {"name": "Awareness", "says": "", "this": False},
                {"name": "Practitioner", "says": "", "this": True},
                {"name": "Expert", "says": "", "this": False},
            ]
        ],
        "stands_for": [
            {
                "name": "GMP-4.2 Aseptic gowning",
                "framework": "GMP skills",
                "page": "https://case.example.org/items/gowning",
            }
        ],
        "version": "1",
        "tags": ["GMP-4.2", "GMP skills"],
    }
    tenant.store.close()


def test_what_an_achievement_lacks_is_left_out():
    stored = {"id": "https://a.example/1", "name": "Gowning", "alignment": [{"targetName": "Gowning"}]}

    assert achievement(stored, "Example Training", "1") == {
        "id": "1",
        "name": "Gowning",
        "issuer": "Example Training",
        "description": "",
        "takes": [],
        "scales": [],
        "stands_for": [{"name": "Gowning", "framework": "", "page": ""}],
        "version": "",
        "tags": [],
    }


def test_of_markdown_only_the_beginning_of_a_line_has_a_meaning():
    text = "# What\n**Bold line**\ntwo lines\nare one text\n\n- one **strong** entry\n* two\n\n<b>} ]]>\n#"

    assert blocks(text) == [
        TextBlock("heading", "What"),
        TextBlock("heading", "Bold line"),
        TextBlock("text", "two lines are one text"),
        TextBlock("list", entries=["one strong entry", "two"]),
        TextBlock("text", "<b>} ]]>"),
    ]
    assert list(texts("- one.\n- two")) == ["one", "two"]
