// Trieve's own JavaScript client, unmodified: the whole story of a dataset.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import process from "node:process";
import { before, describe, test } from "node:test";

import { TrieveSDK } from "trieve-ts-sdk";

const URL = process.env.SOUNDSTAGE_URL;
const KEY = "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3";
const ORGANIZATION = "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3";
const OTHERS_DATASET = "c8e2a6b4-d05f-4173-9a3c-f1b7e4d29068";
const NOBODYS = "00000000-0000-4000-8000-000000000000";

const sdkOf = (more) =>
  new TrieveSDK({ apiKey: KEY, baseUrl: URL, organizationId: ORGANIZATION, ...more });

async function control(path, body) {
  const answer = await fetch(`${URL}/_soundstage${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, await answer.text());
}

const advance = (by) => control("/clock/advance", { by });

/** Ask again and again, as an application does, while the clock goes on. */
async function poll(ask, done) {
  for (let turn = 0; turn < 200; turn += 1) {
    const answer = await ask();
    if (done(answer)) return answer;
    await advance("2s");
  }
  throw new Error("it never came");
}

/** The data of the first event of these types; an event_data is JSON as text. */
async function eventOf(sdk, ...types) {
  const answer = await poll(
    () => sdk.getEventsForDataset({ event_types: types }),
    ({ events }) => events.length > 0,
  );
  return JSON.parse(answer.events[0].event_data);
}

const refusal = (pattern) => (error) => {
  assert.match(error.message, /^HTTP error! status: /);
  assert.match(error.message, pattern);
  return true;
};

describe("a dataset from its making to its end", () => {
  let sdk;
  let dataset;

  before(async () => {
    dataset = await sdkOf().createDataset({ dataset_name: "Story", tracking_id: "story" });
    sdk = sdkOf({ datasetId: dataset.id });
  });

  test("it is found by its id, and by its tracking id", async () => {
    assert.deepEqual(await sdk.getDatasetById(dataset.id), dataset);
    assert.deepEqual(await sdk.getDatasetByTrackingId("story"), dataset);
    const named = sdkOf({ datasetId: "story" });
    assert.deepEqual((await named.getEventsForDataset({})).events, []);
    const listed = await sdk.getDatasetsFromOrganization(ORGANIZATION);
    assert.equal(listed[0].dataset.id, dataset.id);
  });

  test("a chunk is there when its event says so", async () => {
    const queued = await sdk.createChunk({
      chunk_html: "<p>A first text</p>",
      tracking_id: "first",
      tag_set: ["story"],
      group_tracking_ids: ["chapter"],
    });
    const { id } = queued.chunk_metadata;
    await assert.rejects(sdk.getChunkById({ chunkId: id }), refusal(/Chunk not found/));
    const data = await eventOf(sdk, "chunks_uploaded");
    assert.deepEqual(data.chunk_ids, [id]);
    const chunk = await sdk.getChunkById({ chunkId: id });
    assert.equal(chunk.chunk_html, "<p>A first text</p>");
    assert.deepEqual(chunk.tag_set, ["story"]);
    const old = await sdk.getChunkByTrackingId({ trackingId: "first", xApiVersion: "V1" });
    assert.equal(old.tag_set, "story");
  });

  test("a list of chunks is read in, and one is upserted", async () => {
    const many = await sdk.createChunk([
      { chunk_html: "second", tracking_id: "second", location: { lat: 1, lon: 2 } },
      { chunk_html: "first, again", tracking_id: "first", upsert_by_tracking_id: true },
    ]);
    assert.equal(many.chunk_metadata.length, 2);
    const again = await poll(
      () => sdk.getChunkByTrackingId({ trackingId: "first" }),
      (chunk) => chunk.chunk_html === "first, again",
    );
    assert.equal(again.id, many.chunk_metadata[1].id);
  });

  test("a change is made, and one fails as it was planned", async () => {
    const { id } = await sdk.getChunkByTrackingId({ trackingId: "second" });
    assert.equal(await sdk.updateChunk({ chunk_id: id, weight: 2 }), "");
    assert.deepEqual(await eventOf(sdk, "chunk_updated"), { chunk_id: id });
    assert.equal((await sdk.getChunkById({ chunkId: id })).weight, 2);
    await control("/scenarios/trieve/chunk_update_failed/plan", { task: "chunk_update" });
    await sdk.updateChunkByTrackingId({ tracking_id: "second", weight: 3 });
    const failed = await eventOf(sdk, "chunk_update_failed");
    assert.deepEqual(failed, { chunk_id: id, message: "Chunk not found" });
    assert.equal((await sdk.getChunkById({ chunkId: id })).weight, 2);
  });

  test("a group hands its tags on to its chunks", async () => {
    const group = await sdk.createChunkGroup({ name: "Chapter", tag_set: ["chapter"] });
    const chunk = await sdk.getChunkByTrackingId({ trackingId: "second" });
    await sdk.addChunkToGroup({ group_id: group.id, chunk_id: chunk.id });
    await sdk.updateGroup({ group_id: group.id, update_chunks: true });
    assert.deepEqual(await eventOf(sdk, "group_chunks_updated"), { group_id: group.id });
    assert.deepEqual((await sdk.getChunkById({ chunkId: chunk.id })).tag_set, ["chapter"]);
    await sdk.removeChunkFromGroup({ group_id: group.id, chunk_id: chunk.id });
    assert.equal((await sdk.getGroup({ groupId: group.id })).name, "Chapter");
    await sdk.deleteGroup({ groupId: group.id });
    await assert.rejects(sdk.getGroup({ groupId: group.id }), refusal(/Group not found/));
  });

  test("a file is cut into chunks", async () => {
    const { file_metadata: file } = await sdk.uploadFile({
      base64_file: Buffer.from("Once. Upon. A time.").toString("base64url"),
      file_name: "tale.txt",
      group_tracking_id: "tale",
    });
    assert.equal((await eventOf(sdk, "file_uploaded")).file_id, file.id);
    const chunk = await poll(
      () => sdk.getChunkByTrackingId({ trackingId: "tale|0" }).catch(() => null),
      (found) => found,
    );
    assert.equal(chunk.chunk_html, "Once. Upon. A time.");
    assert.equal((await sdk.getFile({ fileId: file.id })).size, 19);
    await sdk.deleteFile({ fileId: file.id, deleteChunks: true });
    await assert.rejects(sdk.getFile({ fileId: file.id }), refusal(/File not found/));
    await assert.rejects(sdk.getChunkByTrackingId({ trackingId: "tale|0" }));
  });

  test("a table is put where it is to be put, and read row by row", async () => {
    const announced = await sdk.createPresignedUrlForCsvJsonl({
      file_name: "prices.csv",
      mappings: [{ csv_jsonl_field: "sku", chunk_req_payload_field: "tracking_id" }],
    });
    await advance("1h");
    const table = "sku,price\nA-1,10\nA-2,20\n";
    const put = await fetch(announced.presigned_put_url, { method: "PUT", body: table });
    assert.equal(put.status, 200);
    const done = await eventOf(sdk, "csv_jsonl_processing_completed");
    assert.deepEqual(done, { file_id: announced.file_metadata.id, chunks_created: 2 });
    const row = await sdk.getChunkByTrackingId({ trackingId: "A-2" });
    assert.deepEqual(row.metadata, { sku: "A-2", price: "20" });
    const late = await sdk.createPresignedUrlForCsvJsonl({ file_name: "late.csv" });
    await advance("8600s");
    const failed = await eventOf(sdk, "csv_jsonl_processing_failed");
    assert.equal(failed.file_id, late.file_metadata.id);
    const refused = await fetch(late.presigned_put_url, { method: "PUT", body: "a" });
    assert.equal(refused.status, 403);
  });

  test("a crawl is polled to its end, cancelled, and run again", async () => {
    // The client has no function that starts a crawl, and its own list of them sends
    // a body with GET, which fetch refuses; what it sends requests by is public.
    const crawl = (method, path, data) =>
      sdk.trieve.fetch(`/api/crawl${path}`, method, { data, datasetId: dataset.id });
    const options = { site_url: "https://example.com", limit: 3 };
    const first = await crawl("post", "", { crawl_options: options });
    assert.equal(first.status, "Pending");
    const seen = new Set();
    await poll(
      async () => (await crawl("get", "?limit=1"))[0],
      ({ status }) => seen.add(JSON.stringify(status)) && status === "Completed",
    );
    assert.deepEqual(
      [...seen].map((status) => status.replace(/\d/, "N")).filter((s, i, all) => s !== all[i - 1]),
      ['"Pending"', '{"Processing":N}', '"Completed"'],
    );
    const done = await eventOf(sdk, "crawl_completed");
    assert.equal(done.scrape_id, first.scrape_id);
    assert.equal(done.pages_crawled, 3);

    const again = await crawl("put", "", { crawl_id: first.id, crawl_options: { limit: 2 } });
    assert.deepEqual(again.crawl_options, { ...options, limit: 2 });
    await eventOf(sdk, "crawl_started");
    await crawl("delete", `/${again.id}`);
    assert.deepEqual(await crawl("get", ""), []);
    await advance("10m");
    const { events } = await sdk.getEventsForDataset({ event_types: ["crawl_completed"] });
    assert.equal(events.length, 1);
    await assert.rejects(
      sdk.getCrawlsForDataset({ limit: 1 }),
      /Request with GET\/HEAD method cannot have body/,
    );
  });

  test("events are listed by type and page", async () => {
    const all = await sdk.getEventsForDataset({ page_size: 100 });
    const pages = [];
    for (let page = 1; page <= Math.ceil(all.events.length / 4); page += 1) {
      const answer = await sdk.getEventsForDataset({ page, page_size: 4, event_types: null });
      pages.push(...answer.events);
    }
    assert.deepEqual(pages, all.events);
    const some = await sdk.getEventsForDataset({ event_types: ["chunk_updated"] });
    assert.deepEqual(
      some.events,
      all.events.filter((event) => event.event_type === "chunk_updated"),
    );
  });

  test("chunks are deleted: one, those that a filter finds, all", async () => {
    await sdk.deleteChunkByTrackingId({ trackingId: "A-1" });
    await sdk.bulkDeleteChunks({
      filter: { must: [{ field: "metadata.price", match_any: ["20"] }] },
    });
    const deleted = await eventOf(sdk, "bulk_chunks_deleted");
    assert.deepEqual(deleted, { message: "Deleted 1 chunks" });
    await assert.rejects(sdk.getChunkByTrackingId({ trackingId: "A-2" }));
    const { id } = await sdk.getChunkByTrackingId({ trackingId: "first" });
    await sdk.clearDataset(dataset.id);
    await poll(
      () => sdk.getChunkById({ chunkId: id }).then(() => false, () => true),
      (gone) => gone,
    );
  });

  test("it is deleted, and is no more", async () => {
    await sdk.deleteDataset(dataset.id);
    await assert.rejects(
      sdk.getDatasetById(dataset.id),
      refusal(/Not Found: Could not find dataset/),
    );
  });
});

describe("what is refused", () => {
  const ask = (more) => sdkOf({ datasetId: ORGANIZATION, ...more }).getEventsForDataset({});

  test("a wrong key", () => assert.rejects(ask({ apiKey: "tr-x" }), refusal(/Unauthorized/)));

  test("another's dataset", () =>
    assert.rejects(ask({ datasetId: OTHERS_DATASET }), refusal(/Forbidden/)));

  test("a dataset that is not there", () =>
    assert.rejects(ask({ datasetId: NOBODYS }), refusal(/Could not find dataset/)));

  test("a key of too low a role", () => {
    const sdk = sdkOf({ apiKey: `tr-${"c3".repeat(16)}`, datasetId: ORGANIZATION });
    return assert.rejects(sdk.createChunk({}), refusal(/Forbidden/));
  });

  test("too many chunks", () => {
    const sdk = sdkOf({ datasetId: ORGANIZATION });
    const chunks = Array.from({ length: 121 }, () => ({}));
    return assert.rejects(sdk.createChunk(chunks), refusal(/limit is 120 chunks/));
  });

  test("a body that is none of the contract", () => {
    const sdk = sdkOf({ datasetId: ORGANIZATION });
    return assert.rejects(
      sdk.createChunkGroup({ tag_set: "no list" }),
      refusal(/Json Deserialization Error/),
    );
  });
});
