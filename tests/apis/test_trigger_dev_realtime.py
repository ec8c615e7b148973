"""Trigger.dev v3: subscriptions to a run, by the protocol of ElectricSQL's shapes."""

import json

from soundstage.world.clock import HOUR


def read_shape(dev, run_id, **query):
    url = f"/trigger-dev/realtime/v1/runs/{run_id}"
    response = dev.http.get(url, params=query, headers=dev.headers)
    assert response.status_code == 200, response.text
    *changes, last = response.json()
    assert last == {"headers": {"control": "up-to-date"}}
    known = {
        "offset": response.headers["electric-offset"],
        "handle": response.headers["electric-handle"],
    }
    return changes, known, json.loads(response.headers["electric-schema"])


def test_a_run_is_a_row_of_texts_with_column_types(dev):
    dev.plan("all_attempts_failed")
    run_id = dev.start(payload={"a": None}, tags=['a "b"', "b\\c"], ttl=60)
    dev.advance(HOUR)
    ((change,), _, columns) = read_shape(dev, run_id, offset="-1")
    row = change["value"]
    assert change["headers"]["operation"] == "insert"
    assert row.keys() == columns.keys()
    assert all(isinstance(value, str | None) for value in row.values())
    assert row["status"] == "COMPLETED_WITH_ERRORS"
    assert row["createdAt"] == "2026-01-01T00:00:00.000"
    assert row["runTags"] == '{"a \\"b\\"","b\\\\c"}'
    assert (row["payload"], row["output"], row["isTest"]) == ('{"a":null}', None, "false")
    assert json.loads(row["error"])["type"] == "BUILT_IN_ERROR"
    assert columns["usageDurationMs"] == {"type": "int4"}
    assert columns["runTags"] == {"type": "text", "dims": 1}
    assert int(row["usageDurationMs"]) == dev.get_run(run_id)["durationMs"]


def test_a_client_with_the_row_receives_changes_only(dev):
    dev.plan("success")
    run_id = dev.start()
    _, known, _ = read_shape(dev, run_id, offset="-1")
    assert read_shape(dev, run_id, **known)[0] == []
    dev.post(f"/v2/runs/{run_id}/cancel")  # at the same instant
    (change,), known, _ = read_shape(dev, run_id, **known, live="true")
    assert change["headers"]["operation"] == "update"
    assert change["value"]["status"] == "CANCELED"
    assert read_shape(dev, run_id, **known)[0] == []


def test_columns_can_be_left_out_except_for_the_required_ones(dev):
    run_id = dev.start(payload=1)
    ((change,), _, columns) = read_shape(dev, run_id, skipColumns="payload,status,output")
    assert not {"payload", "output"} & (change["value"].keys() | columns.keys())
    assert change["value"]["status"]
