"""What each API counts about a run, and the records behind it.

Each function takes a run's own document and the documents that came with it, all as of
one instant, and returns pairs: the count that the run has, and the number of records.
"""

import json
from collections import Counter


def algolia_ingestion(run, events):
    progress = run.get("progress", {"expectedNbOfEvents": 0, "receivedNbOfEvents": 0})
    seen = Counter((event["type"], event["status"]) for event in events)
    received = seen["record", "succeeded"] + seen["record", "failed"]
    return [
        (progress["expectedNbOfEvents"], seen["fetch", "succeeded"]),
        (progress["receivedNbOfEvents"], received),
        (received <= progress["expectedNbOfEvents"], True),
    ]


def runwisp(run, _):
    ended = run["status"] == "ended"
    failed = run.get("end_reason", "success") != "success"
    return [("end_reason" in run, ended), (run["exit_code"] != 0, failed)]


def trieve(run, records):
    events = [record for record in records if "event_type" in record]
    events_data = [(event["event_type"], json.loads(event["event_data"]) or {}) for event in events]
    uploads = [data for name, data in events_data if name == "chunks_uploaded"]
    created = sum(len(data["chunk_ids"]) for data in uploads)
    for name, data in events_data:
        if name.startswith("csv_jsonl") and "chunks_created" in data:
            created = data["chunks_created"]
    pairs = [(run["chunks_created"], created)]
    if "pages_crawled" in run:
        pairs.append((run["pages_crawled"], len(uploads)))
    shown = {
        "queued": "Pending",
        "processing": {"Processing": run.get("pages_crawled", 0)},
        "completed": "Completed",
        "failed": "Failed",
    }
    if run["status"] in shown:  # no response shows a cancelled job
        crawls = [record for record in records if "scrape_id" in record]
        # A crawl may be given the ending of a table, which means nothing for a crawl.
        statuses = [crawl["status"] for crawl in crawls if crawl["status"] != "Pending"]
        pairs += [(status, shown[run["status"]]) for status in statuses]
    closing = [data for _, data in events_data if "chunks_created" in data]
    return pairs + [(data["chunks_created"], created) for data in closing[-1:]]


def trigger_dev(run, spans):
    by_id = {span["spanId"]: span for span in spans}
    root, *below = spans
    attempts = [span for span in spans if span["message"].startswith("Attempt ")]
    failures = [e for e in root["events"] if e["name"] == "attempt_failed"]
    ended = run["status"] not in UNDER_WAY
    failed = [a for a in attempts if a["isError"] or (a["isPartial"] and root["isError"])]
    return [
        (run["attemptCount"], len(attempts)),
        (len(failures), len(failed)),
        (root["isPartial"], not ended),
        (run.get("metadata", {}).get("progress", 0), len(progress_lines(spans))),
        ([span for span in below if span["parentId"] not in by_id], []),
        ([span for span in spans if span["isPartial"] and span["duration"]], []),
    ]


UNDER_WAY = set("PENDING_VERSION DELAYED QUEUED DEQUEUED EXECUTING REATTEMPTING FROZEN".split())


def progress_lines(spans):
    return [span for span in spans if span["message"].endswith("% done")]


COUNTERS = {
    "algolia-ingestion": algolia_ingestion,
    "runwisp": runwisp,
    "trieve": trieve,
    "trigger-dev": trigger_dev,
}
