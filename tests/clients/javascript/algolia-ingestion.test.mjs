// Algolia's official JavaScript clients, unmodified: tasks, pushes and runs from end to end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ingestionClient } from "@algolia/ingestion";
import { algoliasearch } from "algoliasearch";

const SERVER = new URL(process.env.SOUNDSTAGE_URL);
const APPLICATION = "ALGOLIA_APPLICATION_ID";
const KEY = "ALGOLIA_API_KEY";
const EXAMPLE = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"; // what the documentation asks for
const HOSTS = [
  {
    url: SERVER.hostname,
    port: Number(SERVER.port),
    protocol: "http",
    accept: "readWrite",
  },
];

const client = clientOf(KEY);

function clientOf(key) {
  return ingestionClient(APPLICATION, key, "us", { hosts: HOSTS });
}

async function control(method, path, body) {
  const answer = await fetch(new URL(`/_soundstage${path}`, SERVER), {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, await answer.clone().text());
  return answer.json();
}

const advance = (by) => control("POST", "/clock/advance", { by });
const plan = (scenario) =>
  control("POST", `/scenarios/algolia-ingestion/${scenario}/plan`, {});

// What is asked while the clock goes on.
async function inTime(ask) {
  await control("PATCH", "/clock", { speed: 20 });
  try {
    return await ask();
  } finally {
    await control("PATCH", "/clock", { speed: 0 });
  }
}

async function every(ask, name, query = {}) {
  const found = [];
  let pages = 1;
  for (let page = 1; page <= pages; page++) {
    const answer = await ask({ ...query, page });
    found.push(...answer[name]);
    pages = answer.pagination.nbPages;
    assert.ok(answer.pagination.nbItems >= found.length);
  }
  return found;
}

const records = (count) =>
  Array.from({ length: count }, (_, n) => ({ objectID: `${n}`, title: `Title ${n}` }));

async function makeTask() {
  const { authenticationID } = await client.createAuthentication({
    type: "basic",
    name: "Files",
    input: { username: "me", password: "secret" },
  });
  const { sourceID } = await client.createSource({
    type: "json",
    name: "Books",
    input: { url: "https://files.example/books.json" },
    authenticationID,
  });
  const { transformationID } = await client.createTransformation({
    name: "As it is",
    type: "code",
    input: { code: "record => record" },
  });
  const { destinationID } = await client.createDestination({
    type: "search",
    name: "Books",
    input: { indexName: "books" },
    transformationIDs: [transformationID],
  });
  const { taskID } = await client.createTask({
    sourceID,
    destinationID,
    action: "replace",
    failureThreshold: 10,
  });
  return client.getTask({ taskID });
}

test("a task is made, run, polled, listed and cancelled", async () => {
  const { taskID } = await makeTask();
  await plan("clean_reindex");
  const { runID } = await client.runTask({ taskID });
  const statuses = new Set();
  while (!statuses.has("finished")) {
    await advance("1s");
    statuses.add((await client.getRun({ runID })).status);
  }
  const run = await client.getRun({ runID });
  assert.deepEqual([run.outcome, run.reasonCode], ["success", "ok"]);

  const events = await every(client.listEvents, "events", {
    runID,
    itemsPerPage: 5,
    order: "asc",
    status: ["created", "started", "succeeded"],
    type: ["fetch", "record", "transform"],
  });
  assert.equal(events.length, run.progress.receivedNbOfEvents * 3 + 2);
  const [first] = events;
  assert.deepEqual(await client.getEvent({ runID, eventID: first.eventID }), first);

  const again = await client.runTask({ taskID, runTaskPayload: { runMetadata: { n: 2 } } });
  await advance("2s");
  const end = { ending: "cancelled" };
  await control("POST", `/runs/algolia-ingestion/${again.runID}/end`, end);
  await advance("1h");
  const runs = await every(client.listRuns, "runs", {
    taskID,
    status: ["finished", "skipped"],
    itemsPerPage: 1,
  });
  assert.deepEqual(
    runs.map((each) => [each.runID, each.reasonCode]),
    [
      [again.runID, "cancelled"],
      [runID, "ok"],
    ],
  );
});

test("a task is disabled, enabled, changed and deleted", async () => {
  const task = await makeTask();
  const { taskID, sourceID, destinationID } = task;
  await client.disableTask({ taskID });
  await assert.rejects(client.runTask({ taskID }), { status: 400, message: /disabled/ });
  await client.enableTask({ taskID });
  await client.updateTask({ taskID, taskUpdate: { cron: "0 * * * *" } });
  assert.ok((await client.getTask({ taskID })).nextRun);
  await client.replaceTask({ taskID, taskReplace: { destinationID, action: "save" } });
  assert.equal((await client.getTask({ taskID })).cron, undefined);
  await assert.rejects(client.deleteSource({ sourceID }), { status: 400, message: /used/ });
  await client.deleteTask({ taskID });
  await assert.rejects(client.getTask({ taskID }), { status: 404 });

  const { authenticationID } = await client.getSource({ sourceID });
  const { transformationIDs } = await client.getDestination({ destinationID });
  await client.deleteDestination({ destinationID });
  await client.deleteSource({ sourceID });
  await client.deleteTransformation({ transformationID: transformationIDs[0] });
  await client.deleteAuthentication({ authenticationID });
});

test("connectors are read and changed", async () => {
  await client.updateAuthentication({
    authenticationID: EXAMPLE,
    authenticationUpdate: { input: { apiKey: "new" } },
  });
  await client.updateSource({ sourceID: EXAMPLE, sourceUpdate: { name: "Pushes" } });
  await client.updateDestination({
    destinationID: EXAMPLE,
    destinationUpdate: { input: { recordType: "product" } },
  });
  await client.updateTransformation({
    transformationID: EXAMPLE,
    transformationCreate: { name: "New", code: "record => record" },
  });
  const authentication = await client.getAuthentication({ authenticationID: EXAMPLE });
  assert.deepEqual(authentication.input, { appID: APPLICATION, apiKey: null });
  assert.equal((await client.getSource({ sourceID: EXAMPLE })).name, "Pushes");
  const { input } = await client.getDestination({ destinationID: EXAMPLE });
  assert.deepEqual(input, { indexName: "ALGOLIA_INDEX_NAME", recordType: "product" });
  const changed = await client.getTransformation({ transformationID: EXAMPLE });
  assert.equal(changed.code, "record => record");
});

test("lists are filtered, sorted and paged", async () => {
  const asked = { itemsPerPage: 4, sort: "name", order: "asc" };
  for (const [ask, name] of [
    [client.listAuthentications, "authentications"],
    [client.listSources, "sources"],
    [client.listDestinations, "destinations"],
    [client.listTransformations, "transformations"],
  ]) {
    const names = (await every(ask, name, asked)).map((each) => each.name);
    assert.deepEqual(names, [...names].sort());
  }
  const tasks = await every(client.listTasks, "tasks", {
    action: ["append", "save"],
    sourceType: ["bigquery", "docker", "shopify"],
    enabled: true,
  });
  assert.equal(tasks.length, 3);
  const { authentications } = await client.listAuthentications({
    platform: ["shopify", "bigcommerce"],
    type: ["apiKey", "basic"],
    sort: "platform",
    order: "asc",
  });
  assert.deepEqual(
    authentications.map((each) => each.platform),
    ["bigcommerce", "shopify"],
  );
});

test("the tasks of a source are run", async () => {
  const sourceID = "3f0d9b52-6c1e-4a7b-8f43-2b9e5d7c1a06";
  const { taskWithRunID } = await client.runSource({ sourceID });
  assert.deepEqual(Object.keys(taskWithRunID), ["9d2c7a64-0a3e-4bb0-9a1c-1d5a0f3f8a10"]);
});

test("chunks are pushed, and waited for by asking for their events", async () => {
  const pushed = await inTime(() =>
    client.chunkedPush({
      indexName: "ALGOLIA_INDEX_NAME",
      objects: records(25),
      batchSize: 10,
      waitForTasks: true,
    }),
  );
  const sizes = [];
  for (const { runID, eventID } of pushed) {
    sizes.push((await client.getEvent({ runID, eventID })).batchSize);
  }
  assert.deepEqual(sizes, [10, 10, 5]);
});

test("a push is watched until it is over", async () => {
  const pushTaskPayload = { action: "addObject", records: records(2) };
  await plan("push_refused");
  const failed = await inTime(() =>
    client.pushTask({ taskID: EXAMPLE, pushTaskPayload, watch: true }),
  );
  assert.equal(failed.events.at(-1).eventID, failed.eventID);
  assert.equal((await client.getRun({ runID: failed.runID })).outcome, "failure");
  await plan("push_indexed");
  const indexName = "articles";
  const done = await inTime(() => client.push({ indexName, pushTaskPayload, watch: true }));
  assert.equal(done.events, undefined);
  assert.equal((await client.getRun({ runID: done.runID })).outcome, "success");
});

test("the search client saves through a transformation", async () => {
  const search = algoliasearch(APPLICATION, KEY, {
    transformationOptions: { region: "us", hosts: HOSTS },
  });
  const saved = await inTime(() =>
    search.saveObjectsWithTransformation({
      indexName: "articles",
      objects: records(3),
      waitForTasks: true,
    }),
  );
  assert.equal(saved.length, 1);
  const own = search.initIngestion({ region: "us", options: { hosts: HOSTS } });
  assert.equal((await own.getRun({ runID: saved[0].runID })).type, "push");
});

test("a refusal says why", async () => {
  const wrong = clientOf("wrong");
  await assert.rejects(wrong.listRuns(), {
    status: 403,
    message: "Invalid Application-Id or API-Key",
  });
  await assert.rejects(client.runTask({ taskID: "a/b" }), {
    status: 404,
    message: "tasks has no 'a/b'",
  });
  await assert.rejects(client.listTasks({ itemsPerPage: 101 }), {
    status: 400,
    message: /itemsPerPage/,
  });
  await assert.rejects(
    client.push({ indexName: "products", pushTaskPayload: { action: "clear", records: [] } }),
    { status: 400, message: /5 tasks target/ },
  );
  await assert.rejects(client.createTask({ sourceID: EXAMPLE, destinationID: "x", action: "save" }), {
    status: 400,
    message: /destinationID refers to 'x'/,
  });
  await assert.rejects(client.createSource({ type: "csv", name: "a", input: { shopURL: "b" } }), {
    status: 400,
    message: /"url" is a required property/,
  });
});
