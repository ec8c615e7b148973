// openapi-fetch, which RunWisp's web UI is built on, as that UI uses it: log in, start, watch, list, stop.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import createClient from "openapi-fetch";

const baseUrl = process.env.SOUNDSTAGE_URL;
const api = createClient({ baseUrl });
const task = (taskName) => ({ params: { path: { taskName } } });
const run = (taskName, runId, query) => ({ params: { path: { taskName, runId }, query } });

const control = async (path, body) => {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${baseUrl}/_soundstage/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.ok(answer.ok, await answer.text());
};
const advance = (by) => control("clock/advance", { by });
const plan = (taskName, scenario) => control(`scenarios/runwisp/${scenario}/plan`, { task: taskName });

// Server-sent events as fetch gives them: { event, id, data }.
async function* eventsOf(response) {
  assert.equal(response.status, 200);
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
      yield { ...fields, data: JSON.parse(fields.data) };
    }
  }
}

test("a user logs in with a password", async () => {
  const { data: challenge } = await api.GET("/api/auth/challenge");
  const answer = (password) => {
    const response = createHash("sha256").update(`${password}:${challenge.nonce}`).digest("hex");
    return api.POST("/api/auth", { body: { nonce: challenge.nonce, response }, parseAs: "json" });
  };
  const wrong = await answer("guess");
  assert.deepEqual([wrong.response.status, wrong.error], [401, "Invalid password"]);
  const { data, response } = await answer("runwisp");
  assert.match(response.headers.get("set-cookie"), /^runwisp_jwt=.*HttpOnly/);
  const again = await answer("runwisp");
  assert.equal(again.error, "Invalid or expired challenge");
  api.use({
    onRequest({ request }) {
      request.headers.set("authorization", `Bearer ${data.token}`);
      return request;
    },
  });
  const status = await api.GET("/api/auth/status", { headers: { cookie: `runwisp_jwt=${data.token}` } });
  assert.deepEqual([status.data.auth_required, status.data.authenticated], [true, true]);
});

test("a run is started and polled to its end, and its log is read", async () => {
  const { data: tasks } = await api.GET("/api/tasks");
  assert.equal(tasks.find(({ name }) => name === "backup").next_run_at, "2026-01-01T02:30:00.000Z");
  await plan("backup", "success");
  const started = await api.POST("/api/tasks/{taskName}/run", task("backup"));
  assert.equal(started.response.status, 201);
  assert.equal(started.data.status, "pending");
  const seen = new Set();
  let polled;
  for (let i = 0; i < 120 && polled?.status !== "ended"; i += 1) {
    polled = (await api.GET("/api/tasks/{taskName}/runs/{runId}", run("backup", started.data.id))).data;
    seen.add(polled.status);
    await advance("1s");
  }
  assert.deepEqual([...seen], ["pending", "running", "ended"]);
  assert.deepEqual([polled.end_reason, polled.exit_code], ["success", 0]);

  const log = await api.GET("/api/tasks/{taskName}/runs/{runId}/log", run("backup", polled.id, { from: -3 }));
  assert.equal(log.data.lines.length, 3);
  assert.ok(log.data.finalized);
  const streamed = await api.GET("/api/tasks/{taskName}/runs/{runId}/log/stream", {
    ...run("backup", polled.id, { from: 0 }),
    parseAs: "stream",
  });
  const events = [];
  for await (const event of eventsOf(new Response(streamed.data))) events.push(event);
  assert.equal(events.length, log.data.total_lines + 1);
  assert.deepEqual(events.at(-1), { event: "done", data: { final_line: log.data.total_lines - 1, status: "ended" } });
});

test("a client that waits is answered when the run has ended", async () => {
  await plan("backup", "failed");
  const given = { params: { path: { taskName: "backup" }, query: { wait: true, wait_timeout: 600 } } };
  let answer;
  const waiting = api.POST("/api/tasks/{taskName}/run", given).then((found) => {
    answer = found;
  });
  for (let i = 0; i < 600 && !answer; i += 1) {
    await advance("1s");
  }
  await waiting;
  assert.equal(answer.data.end_reason, "failed");
  assert.notEqual(answer.data.exit_code, 0);
});

test("runs are listed with filters, orders and pages, and summed up", async () => {
  const list = async (query) => (await api.GET("/api/runs", { params: { query } })).data;
  const { total } = await list({ sort_field: "", sort_direction: "", search: "" });
  const seen = [];
  for (let offset = 0; offset < total; offset += 100) {
    seen.push(...(await list({ limit: 100, offset })).runs);
  }
  assert.equal(new Set(seen.map(({ id }) => id)).size, total);
  const failed = await list({ status: "failed", task_name: "example", sort_field: "duration", sort_direction: "asc" });
  assert.ok(failed.total > 0);
  assert.ok(failed.runs.every((each) => each.end_reason === "failed" && each.task_name === "example"));
  const { data: ofTask } = await api.GET("/api/tasks/{taskName}/runs", {
    params: { path: { taskName: "example" }, query: { search: failed.runs[0].id.slice(4), limit: 1 } },
  });
  assert.deepEqual(ofTask.runs, [failed.runs[0]]);
  const { data: summary } = await api.GET("/api/runs/summary");
  assert.equal(summary.total, total);
  const { data: info } = await api.GET("/api/info");
  assert.equal(info.tasks.length, (await api.GET("/api/tasks")).data.length);
});

test("events are watched, and the stream is taken up where it broke off", async () => {
  const watch = async (headers, until) => {
    const leaving = new AbortController();
    const { data } = await api.GET("/api/runs/stream", { headers, parseAs: "stream", signal: leaving.signal });
    const found = [];
    for await (const event of eventsOf(new Response(data))) {
      found.push(event);
      if (await until(event, found)) break;
    }
    leaving.abort();
    return found;
  };
  await plan("report.daily", "failed");
  let runId;
  const first = await watch({}, async ({ event, data }) => {
    if (event === "ping" && !runId) {
      runId = (await api.POST("/api/tasks/{taskName}/run", task("report.daily"))).data.id;
    } else if (event === "ping" || data.run.id === runId) {
      await advance("20s");
    }
    return event === "run.started" && data.run.id === runId;
  });
  assert.equal(first[0].event, "ping");
  const last = first.at(-1).id;
  await advance("5m");
  const rest = await watch({ "Last-Event-ID": last }, ({ event, data }) => event === "run.created" && data.run.retry_of_run_id === runId);
  const names = rest.filter(({ data }) => data.run?.id === runId).map(({ event }) => event);
  assert.deepEqual(names, ["run.failed"]);
  const retry = rest.at(-1).data.run;
  assert.deepEqual([retry.retry_attempt, retry.triggered_by], [1, "api"]);
  const ids = [...first, ...rest.slice(1)].map(({ id }) => Number(id));
  assert.deepEqual(ids, [...ids].sort((a, b) => a - b));
});

test("a log is followed while it is written", async () => {
  await plan("backup", "long_running");
  const { data: started } = await api.POST("/api/tasks/{taskName}/run", task("backup"));
  await advance("1s");
  const { data } = await api.GET("/api/tasks/{taskName}/runs/{runId}/log/stream", { ...run("backup", started.id), parseAs: "stream" });
  const lines = [];
  for await (const { event, data: line } of eventsOf(new Response(data))) {
    if (event === "done") break;
    lines.push(line.text);
    await advance("12m");
  }
  assert.deepEqual(lines.slice(0, 2), ["Starting backup", "10% done"]);
  assert.equal(lines.length, 11);
});

test("a run is stopped, whoever queues moves up, and what is over is deleted", async () => {
  await plan("deploy-preview", "long_running");
  const { data: active } = await api.POST("/api/tasks/{taskName}/run", task("deploy-preview"));
  const { data: queued } = await api.POST("/api/tasks/{taskName}/run", task("deploy-preview"));
  await advance("1s");
  const early = await api.DELETE("/api/tasks/{taskName}/runs/{runId}", run("deploy-preview", active.id));
  assert.equal(early.response.status, 409);
  const stopped = await api.POST("/api/tasks/{taskName}/runs/{runId}/stop", run("deploy-preview", active.id));
  assert.equal(stopped.data.message, "Run stop signal sent");
  await advance("1s");
  const statusOf = async (id) => (await api.GET("/api/tasks/{taskName}/runs/{runId}", run("deploy-preview", id))).data;
  assert.equal((await statusOf(active.id)).end_reason, "stopped");
  assert.equal((await statusOf(queued.id)).status, "running");
  const gone = await api.DELETE("/api/tasks/{taskName}/runs/{runId}", run("deploy-preview", active.id));
  assert.equal(gone.response.status, 204);
  assert.equal((await api.GET("/api/tasks/{taskName}/runs/{runId}", run("deploy-preview", active.id))).response.status, 404);
});

test("a service is restarted and stopped", async () => {
  assert.equal((await api.POST("/api/tasks/{taskName}/restart", task("metrics-agent"))).response.status, 204);
  const query = { status: "pending" };
  const { data } = await api.GET("/api/tasks/{taskName}/runs", { params: { path: { taskName: "metrics-agent" }, query } });
  assert.deepEqual(data.runs.map((each) => each.replica_index).sort(), [0, 1]);
  assert.equal((await api.POST("/api/tasks/{taskName}/stop", task("metrics-agent"))).response.status, 204);
});

test("refusals are told apart", async () => {
  const ask = async (answer) => {
    const { error, response } = await answer;
    return [response.status, error.detail ?? error];
  };
  const noRun = run("backup", "01KEXAMPERVN0000000000ZZZZ");
  const bad = { params: { path: { taskName: "example" }, query: { limit: 0 } } };
  assert.deepEqual(await ask(api.POST("/api/tasks/{taskName}/run", task("nobody"))), [404, "task not found"]);
  assert.deepEqual(await ask(api.GET("/api/tasks/{taskName}/runs/{runId}", noRun)), [404, "run not found"]);
  assert.deepEqual(await ask(api.POST("/api/tasks/{taskName}/run", task("clean-up"))), [403, "API triggering disabled for this task"]);
  assert.equal((await ask(api.POST("/api/tasks/{taskName}/run", task("metrics-agent"))))[0], 409);
  assert.deepEqual(await ask(api.GET("/api/tasks/{taskName}/runs", bad)), [422, "validation failed"]);
  const stranger = createClient({ baseUrl, headers: { authorization: "Bearer expired" } });
  assert.deepEqual(await ask(stranger.GET("/api/tasks")), [401, "token is unauthorized"]);
});
