// Trigger.dev's SDK and its ApiClient, unmodified: a run's whole life from the client's side.
import assert from "node:assert/strict";
import { before, test } from "node:test";

import { ApiClient } from "@trigger.dev/core/v3";
import { batch, configure, idempotencyKeys, runs, tasks } from "@trigger.dev/sdk";

const SERVER = process.env.SOUNDSTAGE_URL ?? "http://127.0.0.1:4010";
const API = `${SERVER}/trigger-dev`;
const ONCE = { retry: { maxAttempts: 1 } };

async function control(path, body, method = "POST") {
  const answer = await fetch(`${SERVER}/_soundstage${path}`, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, await answer.clone().text());
}

const advance = (by) => control("/clock/advance", { by });
const plan = (scenario) => control(`/scenarios/trigger-dev/${scenario}/plan`, {});

/** What comes of a promise while time goes by. */
async function meanwhile(promise, by = "1s") {
  let over = false;
  const done = promise.finally(() => (over = true));
  while (!over) {
    await advance(by);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return done;
}

const poll = (run) => meanwhile(runs.poll(run, { pollIntervalMs: 5 }));

async function collected(iterator) {
  const items = [];
  for await (const item of iterator) items.push(item);
  return items;
}

before(() => configure({ baseURL: API, accessToken: "tr_dev_1234" }));

test("a task is triggered, polled to its end, and its result is read", async () => {
  await plan("success");
  const handle = await tasks.trigger("my-task", { at: new Date(0), list: [1, null] }, {
    tags: ["user_1", "org_1"],
    metadata: { step: { name: "one" } },
    ttl: "1h",
    maxDuration: 60,
    machine: "small-2x",
  });
  assert.match(handle.id, /^run_/);
  const queued = await runs.retrieve(handle);
  assert.equal(queued.status, "QUEUED");
  assert.equal(queued.output, undefined);
  const run = await poll(handle);
  assert.equal(run.status, "COMPLETED");
  assert.equal(run.isSuccess, true);
  assert.deepEqual(run.payload, { at: "1970-01-01T00:00:00.000Z", list: [1, null] });
  assert.deepEqual(run.output, { ok: true });
  assert.deepEqual(run.tags, ["org_1", "user_1"]);
  assert.deepEqual(run.metadata, { step: { name: "one" } });
  assert.equal(run.ttl, "1h");
  assert.equal(run.attemptCount, 1);
  assert.ok(run.finishedAt > run.startedAt && run.startedAt > run.createdAt);
  assert.ok(run.durationMs > 0);

  const client = new ApiClient(API, "tr_dev_1234");
  const result = await client.getRunResult(handle.id);
  assert.deepEqual([result.ok, result.output], [true, '{"ok":true}']);
  const { events } = await client.listRunEvents(handle.id);
  const { trace } = await client.retrieveRunTrace(handle.id);
  assert.equal(events[0].spanId, trace.rootSpan.id);
  assert.equal(events[0].message, "my-task");
  const attempt = trace.rootSpan.children.find((s) => s.data.message === "Attempt 1");
  assert.equal(Math.floor(attempt.data.duration / 1e6), run.durationMs);
  const below = (span) => 1 + span.children.reduce((sum, s) => sum + below(s), 0);
  assert.equal(below(trace.rootSpan), events.length);
});

test("an idempotency key gives the same run", async () => {
  const key = await idempotencyKeys.create("order-1", { scope: "global" });
  const first = await tasks.trigger("my-task", {}, { idempotencyKey: key });
  const second = await tasks.trigger("my-task", {}, { idempotencyKey: key });
  assert.equal(second.id, first.id);
  assert.deepEqual([first.isCached, second.isCached], [false, true]);
  assert.equal((await runs.retrieve(first)).idempotencyKey, "order-1");
});

test("a delayed run is rescheduled, and runs then", async () => {
  await plan("log_levels");
  const handle = await tasks.trigger("hello-world", "text", { delay: "1h" });
  const run = await runs.retrieve(handle);
  assert.equal(run.status, "DELAYED");
  assert.equal(run.delayedUntil - run.createdAt, 3_600_000);
  const until = new Date(+run.createdAt + 60_000);
  const sooner = await runs.reschedule(handle.id, { delay: until });
  assert.deepEqual([sooner.status, sooner.delayedUntil], ["DELAYED", until]);
  const done = await poll(handle);
  assert.deepEqual([done.payload, done.status], ["text", "COMPLETED"]);
  assert.ok(done.startedAt > until);
  await assert.rejects(runs.reschedule(handle.id, { delay: "1h" }, ONCE), {
    status: 400,
    message: /not delayed/,
  });
});

test("a run that waits too long in its queue expires", async () => {
  await plan("congested");
  const handle = await tasks.trigger("my-task", {}, { ttl: 5 });
  await advance("5s");
  const run = await runs.retrieve(handle);
  assert.equal(run.status, "EXPIRED");
  assert.match(run.error.message, /TTL \(5s\)/);
});

test("a failed run tells what was thrown, and is replayed", async () => {
  await plan("all_attempts_failed");
  const handle = await tasks.trigger("my-task", { n: 1 }, { tags: "again" });
  const run = await poll(handle);
  assert.deepEqual([run.status, run.isFailed, run.attemptCount], ["FAILED", true, 3]);
  assert.ok(run.error.stackTrace.includes(run.error.message));
  const result = await new ApiClient(API, "tr_dev_1234").getRunResult(handle.id);
  assert.deepEqual([result.ok, result.error.type], [false, "BUILT_IN_ERROR"]);

  await plan("success");
  const replay = await runs.replay(handle.id);
  assert.notEqual(replay.id, handle.id);
  const second = await poll(replay.id);
  assert.deepEqual([second.status, second.payload], ["COMPLETED", { n: 1 }]);
  assert.deepEqual(second.tags, ["again"]);
  const other = await runs.replay(handle.id, { payload: { n: 2 }, tags: ["x"] });
  assert.deepEqual((await runs.retrieve(other.id)).payload, { n: 2 });
});

test("a run is cancelled once and for all", async () => {
  await plan("long_running");
  const handle = await tasks.trigger("process-video", {});
  await advance("10m");
  const client = new ApiClient(API, "tr_dev_1234");
  assert.equal((await runs.cancel(handle.id)).id, handle.id);
  const run = await poll(handle);
  assert.deepEqual([run.status, run.isCancelled], ["CANCELED", true]);
  const { events } = await client.listRunEvents(handle.id);
  assert.ok(events.every((span) => !span.isPartial));
  await advance("1h");
  assert.equal((await client.listRunEvents(handle.id)).events.length, events.length);
  assert.equal((await runs.cancel(handle.id)).id, handle.id);
  const result = await client.getRunResult(handle.id);
  assert.equal(result.error.code, "TASK_RUN_CANCELLED");
});

test("tags and metadata are added from outside", async () => {
  const client = new ApiClient(API, "tr_dev_1234");
  const handle = await tasks.trigger("my-task", {}, { tags: ["a"] });
  const { message } = await client.addTags(handle.id, { tags: ["a", "b"] });
  assert.equal(message, "Successfully set 1 new tags.");
  const metadata = { progress: 0.5, deep: { none: null } };
  const told = await client.updateRunMetadata(handle.id, { metadata });
  assert.deepEqual(told.metadata, metadata);
  const run = await runs.retrieve(handle);
  assert.deepEqual([run.tags, run.metadata], [["a", "b"], metadata]);
  const many = Array.from({ length: 9 }, (_, i) => `tag-${i}`);
  await assert.rejects(client.addTags(handle.id, { tags: many }, ONCE), {
    status: 422,
    message: /only have 10 tags/,
  });
});

test("runs are listed in pages, forward and back, and by filters", async () => {
  const every = await collected(runs.list({ limit: 100 }));
  const paged = await collected(runs.list({ limit: 4 }));
  assert.ok(every.length > 20);
  assert.deepEqual(paged, every);
  const first = await runs.list({ limit: 4 });
  assert.ok(first.hasNextPage() && !first.hasPreviousPage());
  const second = await first.getNextPage();
  const back = await second.getPreviousPage();
  assert.deepEqual(back.data, first.data);
  const times = every.map((run) => +run.createdAt);
  assert.deepEqual(times, times.toSorted((a, b) => b - a));
  assert.deepEqual(every[0].env, { id: "env_dev", name: "dev" });

  const filters = [
    [{ status: ["FAILED", "CANCELED"] }, (r) => ["FAILED", "CANCELED"].includes(r.status)],
    [{ status: "WAITING" }, (r) => r.isWaiting],
    [{ taskIdentifier: "process-video" }, (r) => r.taskIdentifier === "process-video"],
    [{ tag: ["again", "nope"] }, (r) => r.tags.includes("again")],
    [{ isTest: true }, (r) => r.isTest],
    [{ from: every[3].createdAt }, (r) => r.createdAt >= every[3].createdAt],
    [
      { from: every.at(-1).createdAt, to: every[9].createdAt },
      (r) => r.createdAt <= every[9].createdAt,
    ],
    [{ queue: { type: "task", name: "my-task" } }, (r) => r.taskIdentifier === "my-task"],
    [{ machine: "small-2x" }, (r) => r.tags.includes("user_1")],
    [{ region: "us-east-1", version: "20250912.1", period: "7d" }, () => true],
    [{ schedule: "sched_1" }, () => false],
  ];
  for (const [filter, wanted] of filters) {
    const found = await collected(runs.list({ ...filter, limit: 100 }));
    assert.deepEqual(found, every.filter(wanted), JSON.stringify(filter));
  }
});

test("many runs are started at once, and their batch is followed", async () => {
  await plan("success");
  await plan("crashed");
  const handle = await tasks.batchTrigger("my-task", [
    { payload: { n: 0 } },
    { payload: "one", options: { tags: ["one"] } },
  ]);
  assert.equal(handle.runCount, 2);
  const found = await batch.retrieve(handle.batchId);
  assert.deepEqual([found.status, found.runs.length], ["PROCESSING", 2]);
  const ended = await Promise.all([poll(found.runs[0]), poll(found.runs[1])]);
  assert.deepEqual(ended.map((run) => run.status), ["COMPLETED", "CRASHED"]);
  assert.deepEqual(ended.map((run) => run.payload), [{ n: 0 }, "one"]);
  assert.deepEqual(ended.map((run) => run.batchId), [handle.batchId, handle.batchId]);
  assert.equal((await batch.retrieve(handle.batchId)).status, "COMPLETED");
  const listed = await collected(runs.list({ batch: handle.batchId }));
  assert.equal(listed.length, 2);
  const results = await new ApiClient(API, "tr_dev_1234").getBatchResults(handle.batchId);
  assert.deepEqual(results.items.map((item) => item.ok), [true, false]);
  const mixed = await batch.trigger([{ id: "hello-world", payload: {} }, { id: "new" }]);
  assert.equal((await batch.retrieve(mixed.batchId)).runCount, 2);
});

test("a run is followed as it changes, until it ends", { timeout: 30_000 }, async () => {
  await plan("retried_then_success");
  const handle = await tasks.trigger("my-task", { deep: [null] }, { tags: ['a"b\\c', "d"] });
  const following = collected(runs.subscribeToRun(handle.id));
  const seen = await meanwhile(following, "200ms");
  const statuses = seen.map((run) => run.status);
  assert.equal(statuses[0], "QUEUED");
  assert.equal(statuses.at(-1), "COMPLETED");
  assert.ok(statuses.includes("EXECUTING"));
  const last = seen.at(-1);
  assert.deepEqual(last.payload, { deep: [null] });
  assert.deepEqual(last.output, { ok: true });
  assert.deepEqual(last.tags, ['a"b\\c', "d"]);
  const run = await runs.retrieve(handle);
  assert.deepEqual([last.finishedAt, last.durationMs], [run.finishedAt, run.durationMs]);
});

test("who follows a run learns that it is cancelled while the clock stands still", { timeout: 30_000 }, async () => {
  await plan("long_running");
  const handle = await tasks.trigger("my-task", {});
  await advance("5m");
  const seen = [];
  for await (const run of runs.subscribeToRun(handle.id)) {
    seen.push(run.status);
    if (seen.length === 1) await runs.cancel(handle.id);
  }
  assert.deepEqual(seen, ["EXECUTING", "CANCELED"]);
});

test("errors have their own classes", async () => {
  const wrong = new ApiClient(API, "tr_dev_wrong");
  await assert.rejects(wrong.retrieveRun("run_1234", ONCE), (error) => {
    assert.equal(error.constructor.name, "AuthenticationError");
    assert.equal(error.status, 401);
    return true;
  });
  await assert.rejects(runs.retrieve("run_nope", ONCE), (error) => {
    assert.equal(error.constructor.name, "NotFoundError");
    assert.match(error.message, /Run not found/);
    return true;
  });
  const prod = new ApiClient(API, "tr_prod_1234");
  await assert.rejects(prod.retrieveRun("run_1234", ONCE), { status: 404 });
  await assert.rejects(prod.cancelRun("run_1234"), { status: 404 });
  await assert.rejects(tasks.trigger("my-task", {}, { delay: "soon" }, ONCE), (error) => {
    assert.equal(error.constructor.name, "BadRequestError");
    assert.match(error.message, /Invalid delay: soon/);
    return true;
  });
  await assert.rejects(collected(runs.list({ status: "LOREM" }, ONCE)), (error) => {
    assert.deepEqual([error.status, error.body.error], [400, "Query Error"]);
    assert.match(error.body.details[0].message, /Invalid status values: LOREM/);
    return true;
  });
  const tags = Array.from({ length: 11 }, (_, i) => `${i}`);
  await assert.rejects(tasks.trigger("my-task", {}, { tags }, ONCE), { status: 422 });
});
