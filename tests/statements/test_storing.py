"""Storing statements over HTTP. The numbers are those of the project's xAPI checklist, section 2."""

from tests.served import new_id, statement


def test_11_post_answers_the_ids_in_order_also_of_one_statement(each_lrs):
    ids = [new_id() for _ in range(3)]

    batch = each_lrs.post([statement(id=one) for one in ids])
    single = each_lrs.post(statement(id=(last := new_id())))

    assert (batch.status_code, batch.json()) == (200, ids)
    assert (single.status_code, single.json()) == (200, [last])
