"""Trigger.dev v3: a run that is followed, by the protocol of ElectricSQL's shapes."""

import json

from soundstage.world.clock import HOUR


def shape(dev, run_id, **query):
    url = f"/trigger-dev/realtime/v1/runs/{run_id}"
    answer = dev.http.get(url, params=query, headers=dev.headers)
    assert answer.status_code == 200, answer.text
    *changes, last = answer.json()
    assert last == {"headers": {"control": "up-to-date"}}
    known = {
        "offset": answer.headers["electric-offset"],
        "handle": answer.headers["electric-handle"],
    }
    return changes, known, json.loads(answer.headers["electric-schema"])


def test_a_followed_run_is_a_row_of_text_with_its_types(dev):
    dev.plan("all_attempts_failed")
    run_id = dev.start(payload={"a": None}, tags=['say "hi"', "b\\c"], ttl=60)
    dev.advance(HOUR)
    ((change,), _, columns) = shape(dev, run_id, offset="-1")
    row = change["value"]
    assert change["headers"]["operation"] == "insert"
    assert row.keys() == columns.keys()
    assert all(isinstance(value, str | None) for value in row.values())
    assert row["status"] == "COMPLETED_WITH_ERRORS"
    assert row["createdAt"] == "2026-01-01T00:00:00.000"
    assert row["runTags"] == '{"say \\"hi\\"","b\\\\c"}'
    assert (row["payload"], row["output"], row["isTest"]) == (
        '{"a":null}',
        None,
        "false",
    )
    assert json.loads(row["error"])["type"] == "BUILT_IN_ERROR"
    assert columns["usageDurationMs"] == {"type": "int4"}
    assert columns["runTags"] == {"type": "text", "dims": 1}
    assert int(row["usageDurationMs"]) == dev.get_run(run_id)["durationMs"]


def test_who_has_the_row_is_told_of_changes_only(dev):
    dev.plan("success")
    run_id = dev.start()
    _, known, _ = shape(dev, run_id, offset="-1")
    assert shape(dev, run_id, **known)[0] == []
    dev.post(f"/v2/runs/{run_id}/cancel")  # at the same instant
    (change,), known, _ = shape(dev, run_id, **known, live="true")
    assert change["headers"]["operation"] == "update"
    assert change["value"]["status"] == "CANCELED"
    assert shape(dev, run_id, **known)[0] == []


def test_columns_can_be_left_out_but_for_those_that_a_client_needs(dev):
    run_id = dev.start(payload=1)
    ((change,), _, columns) = shape(dev, run_id, skipColumns="payload,status,output")
    assert not {"payload", "output"} & (change["value"].keys() | columns.keys())
    assert change["value"]["status"]
