"""The identity of agents."""

import pytest

from lrs.xapi.statements.identity import ifi_text


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        ({"mbox": "mailto:ada@example.org", "name": "Ada"}, "mbox:mailto:ada@example.org"),
        ({"mbox_sha1sum": "0" * 40}, "mbox_sha1sum:" + "0" * 40),
        ({"openid": "https://ada.example.org/"}, "openid:https://ada.example.org/"),
        ({"account": {"homePage": "https://h.example", "name": "ada"}}, "account:17:https://h.example|ada"),
        ({"objectType": "Group", "member": []}, None),
    ],
)
def test_each_kind_of_identifier_has_its_own_text(agent, text):
    assert ifi_text(agent) == text


def test_a_group_and_an_agent_with_one_identifier_are_the_same():
    assert ifi_text({"objectType": "Group", "openid": "https://x.example/"}) == "openid:https://x.example/"


def test_accounts_that_differ_only_in_where_the_bar_stands_are_different():
    one = ifi_text({"account": {"homePage": "https://h.example/a|b", "name": "c"}})
    other = ifi_text({"account": {"homePage": "https://h.example/a", "name": "b|c"}})

    assert one != other
