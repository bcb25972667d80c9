"""What the page about an achievement says, also of one that has only what the standard asks for."""

from badges.achievement_view import achievement
from tests.badges.made import badge_in, put_award, run_issue, tenant_in


def test_an_issued_achievement_is_told_with_its_levels_and_where_it_comes_from(tmp_path):
    tenant = tenant_in(tmp_path)
    put_award(tenant)
    run_issue(tenant)
    stored = badge_in(tenant)[1]["credentialSubject"]["achievement"]

    assert achievement(stored, "Example Training") == {
        "name": "Aseptic gowning: Practitioner",
        "issuer": "Example Training",
        "description": "Aseptic gowning: Practitioner, proven by evidence from trusted sources.",
        "takes": "Evidence that proves Aseptic gowning: Practitioner (GMP skills 2).",
        "scales": [
            [
                {"name": "Awareness", "this": False},
                {"name": "Practitioner", "this": True},
                {"name": "Expert", "this": False},
            ]
        ],
        "stands_for": [{"name": "GMP-4.2 Aseptic gowning", "framework": "GMP skills"}],
    }
    tenant.store.close()


def test_what_an_achievement_lacks_is_left_out():
    stored = {"id": "https://a.example/1", "name": "Gowning", "alignment": [{"targetName": "Gowning"}]}

    assert achievement(stored, "Example Training") == {
        "name": "Gowning",
        "issuer": "Example Training",
        "description": "",
        "takes": "",
        "scales": [],
        "stands_for": [{"name": "Gowning", "framework": ""}],
    }
