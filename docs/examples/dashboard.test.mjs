// soundstage serve & node --test docs/examples/dashboard.test.mjs
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

const SERVER = process.env.SOUNDSTAGE_URL ?? "http://127.0.0.1:4010";

// What is tested: it waits for a run to end, and says what came of it.

async function waitFor(url, runID, sleep) {
  const headers = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
  };
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`${url}/1/runs/${runID}`, { headers });
    if (answer.ok) {
      const run = await answer.json();
      if (run.status === "skipped") return `skipped: ${run.reasonCode}`;
      if (run.status === "finished") return run.outcome;
    }
    await sleep(5);
  }
  return "still running";
}

// The control API.

async function control(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.status === 204 ? null : answer.json();
}

let world;
let made = 0;

beforeEach(async () => {
  world = await control("POST", `${SERVER}/_soundstage/worlds`, {
    name: `dashboard-${process.pid}-${++made}`,
    now: "2026-01-01T00:00:00Z",
    speed: 0,
    own_port: true,
  });
});

afterEach(async () => {
  const { entries } = await control("GET", `${world.url}/_soundstage/violations`);
  await control("DELETE", `${SERVER}/_soundstage/worlds/${world.name}`);
  assert.deepEqual(entries, [], "the contract was broken");
});

const start = (scenario) =>
  control("POST", `${world.url}/_soundstage/runs`, { api: "algolia-ingestion", scenario });

const sleep = (seconds) =>
  control("POST", `${world.url}/_soundstage/clock/advance`, { by: `${seconds}s` });

async function assertCalled(operation, times) {
  const verdict = await control("POST", `${world.url}/_soundstage/journal/verify`, {
    called: { operation, times },
  });
  assert.ok(verdict.ok, verdict.text);
}

// The tests.

for (const [scenario, said] of [
  ["clean_reindex", "success"],
  ["too_many_errors", "failure"],
  ["blocked", "skipped: blocking"],
]) {
  test(`a run that is ${scenario}`, async () => {
    const run = await start(scenario);
    assert.equal(await waitFor(world.url, run.id, sleep), said);
  });
}

test("a server that fails once is asked again", async () => {
  const run = await start("clean_reindex");
  await control("POST", `${world.url}/_soundstage/clock/advance`, { by: "10m" });
  const fault = { kind: "status", options: { status: 503 }, times: 1 };
  await control("POST", `${world.url}/_soundstage/faults`, fault);
  assert.equal(await waitFor(world.url, run.id, sleep), "success");
  await assertCalled("getRun", 2);
});
