"""The installation's operator has keys that open /metrics and no tenant's data, whatever becomes of the tenants."""

import json

import httpx
from click.testing import CliRunner

from lrs.cli import main
from lrs.tenancy import audit
from tests.builders import opened_installation, operator_in, store_in
from tests.served import serving

VERSION = {"X-Experience-API-Version": "1.0.3"}


def run(data, *words):
    answer = CliRunner().invoke(main, [*words, "--data", str(data)])
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    return answer


def test_an_operators_key_opens_the_metrics_and_no_tenants_data(tmp_path):
    auth = operator_in(tmp_path)
    with serving(tmp_path) as lrs:
        metrics = httpx.get(f"{lrs.address}/metrics", auth=auth, trust_env=False)
        wrong = httpx.get(f"{lrs.address}/metrics", auth=(auth[0], "wrong"), trust_env=False)
        nobody = httpx.get(f"{lrs.address}/metrics", trust_env=False)
        statements = httpx.get(f"{lrs.address}/xapi/statements", auth=auth, headers=VERSION, trust_env=False)
        imports = httpx.get(f"{lrs.address}/api/imports", auth=auth, trust_env=False)

    assert metrics.status_code == 200
    assert 'lrs_tenant_up{tenant="default"} 1.0' in metrics.text
    assert (wrong.status_code, nobody.status_code) == (401, 401)
    assert (statements.status_code, imports.status_code) == (401, 401)


def test_the_metrics_stay_open_to_the_operator_while_the_default_tenant_is_shut(tmp_path):
    auth = operator_in(tmp_path)
    with serving(tmp_path) as lrs:
        run(tmp_path, "tenants", "suspend", "default")
        metrics = httpx.get(f"{lrs.address}/metrics", auth=auth, trust_env=False)
        health = httpx.get(f"{lrs.address}/health", trust_env=False)

    assert metrics.status_code == 200
    assert "lrs_tenant_up{" not in metrics.text
    assert (health.status_code, health.json()) == (200, {"status": "ok"})


def test_only_the_operator_is_told_which_tenants_fail_and_why(tmp_path):
    auth = operator_in(tmp_path)
    run(tmp_path, "tenants", "create", "bad")
    (tmp_path / "tenants" / "bad" / "store.db").write_bytes(b"not a database" * 1_000)
    with serving(tmp_path) as lrs:
        open_to_all = httpx.get(f"{lrs.address}/health", trust_env=False).json()
        told = httpx.get(f"{lrs.address}/health", auth=auth, trust_env=False).json()

    assert open_to_all == {"status": "degraded", "unusable": 1}
    assert list(told["tenants"]) == ["bad"]
    assert "file is not a database" in told["tenants"]["bad"]


def test_a_key_that_is_revoked_opens_nothing_from_then_on(tmp_path):
    store_in(tmp_path)
    made = run(tmp_path, "operators", "create", "--name", "prometheus").stdout
    auth = made.split()[1], made.split()[3]
    with serving(tmp_path) as lrs:
        before = httpx.get(f"{lrs.address}/metrics", auth=auth, trust_env=False)
        revoked = run(tmp_path, "operators", "revoke", auth[0])
        after = httpx.get(f"{lrs.address}/metrics", auth=auth, trust_env=False)

    assert (before.status_code, revoked.exit_code, after.status_code) == (200, 0, 401)
    assert "revoked" in run(tmp_path, "operators", "list").stdout
    assert run(tmp_path, "operators", "revoke", "_operator.none").exit_code == 1


def test_what_is_done_with_operators_keys_stands_in_the_record_of_actions(tmp_path):
    store_in(tmp_path)
    made = json.loads(run(tmp_path, "operators", "create", "--name", "prometheus", "--json").stdout)["key"]
    for _ in range(2):
        run(tmp_path, "operators", "revoke", made)

    with opened_installation(tmp_path) as installation:
        entries = [(entry.by, entry.action, entry.about) for entry, _ in audit.walk(installation.store)]
    assert entries == [
        ("operator", "operator-key.created", {"key": made}),
        ("operator", "operator-key.revoked", {"key": made}),
    ]
