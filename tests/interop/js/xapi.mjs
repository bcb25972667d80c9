// A full round trip by @xapi/xapi, in the version that is asked for. Tells what it saw; judges nothing.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import XAPI from "@xapi/xapi";

const given = JSON.parse(readFileSync(0, "utf8"));
const xapi = new XAPI({
  endpoint: given.endpoint,
  auth: XAPI.toBasicAuth(given.key, given.secret),
  version: given.version,
  adapter: given.adapter,
});
const { agent, activity } = given;
const verb = XAPI.Verbs.COMPLETED;
const statement = (more) => ({ actor: agent, verb, object: { objectType: "Activity", id: activity }, ...more });
// The adapter for fetch keeps no status of a refusal, only its text.
const STATUS = { not_found: 404, precondition_failed: 412, invalid_statement: 400 };
const refused = (promise) =>
  promise.then(
    () => "accepted",
    (error) => error.response?.status ?? STATUS[JSON.parse(error.message).error] ?? error.message,
  );
const seen = {};

seen.about = (await xapi.getAbout()).data.version;
seen.sent = (await xapi.sendStatement({ statement: statement({ id: given.ids[0] }) })).data;
seen.batch = (await xapi.sendStatements({ statements: given.ids.slice(1).map((id) => statement({ id })) })).data;
seen.one = (await xapi.getStatement({ statementId: given.ids[0] })).data;

seen.listed = [];
let page = (await xapi.getStatements({ agent, verb: verb.id, activity, limit: 2, ascending: true })).data;
for (;;) {
  seen.listed.push(...page.statements.map((one) => one.id));
  if (!page.more) break;
  page = (await xapi.getMoreStatements({ more: page.more })).data;
}

const file = new TextEncoder().encode("a file of one line, which is all that this client reads").buffer;
const attachment = {
  usageType: "https://example.org/usage",
  display: { en: "file" },
  contentType: "text/plain",
  length: file.byteLength,
  sha2: createHash("sha256").update(new Uint8Array(file)).digest("hex"),
};
// In Node, the adapter for axios calls a multipart body octets: only the one for fetch can send attachments.
if (given.adapter === "fetch") {
  const sending = { statement: statement({ attachments: [attachment] }), attachments: [file] };
  const [id] = (await xapi.sendStatement(sending)).data;
  const parts = (await xapi.getStatement({ statementId: id, attachments: true })).data;
  seen.attached = { parts: parts.length, id: parts[0].id === id, text: parts[1] };
}

seen.voiding = (await xapi.voidStatement({ actor: agent, statementId: given.ids[0] })).data.length;
seen.gone = await refused(xapi.getStatement({ statementId: given.ids[0] }));
seen.voided = (await xapi.getVoidedStatement({ voidedStatementId: given.ids[0] })).data.id;

const state = { agent, activityId: activity, stateId: "bookmark" };
await xapi.createState({ ...state, state: { page: 1, nested: { a: 1 } } });
await xapi.createState({ ...state, state: { chapter: "b" } });
const document = await xapi.getState(state);
seen.state = document.data;
seen.states = (await xapi.getStates({ agent, activityId: activity })).data;
await xapi.setState({ ...state, state: { page: 2 }, etag: document.headers.etag, matchHeader: "If-Match" });
seen.stale = await refused(
  xapi.setState({ ...state, state: { page: 3 }, etag: document.headers.etag, matchHeader: "If-Match" }),
);
seen.changed = (await xapi.getState(state)).data;
await xapi.deleteState(state);
seen.deleted = await refused(xapi.getState(state));
await xapi.createState({ ...state, state: { page: 1 } });
await xapi.deleteStates({ agent, activityId: activity });
seen.cleared = (await xapi.getStates({ agent, activityId: activity })).data;

seen.profiles = {};
for (const [name, key] of [
  ["Activity", { activityId: activity, profileId: "p" }],
  ["Agent", { agent, profileId: "p" }],
]) {
  await xapi[`set${name}Profile`]({ ...key, profile: { v: 1 }, etag: "*", matchHeader: "If-None-Match" });
  const first = await xapi[`get${name}Profile`](key);
  const again = await refused(
    xapi[`set${name}Profile`]({ ...key, profile: { v: 2 }, etag: "*", matchHeader: "If-None-Match" }),
  );
  await xapi[`set${name}Profile`]({ ...key, profile: { v: 3 }, etag: first.headers.etag, matchHeader: "If-Match" });
  await xapi[`create${name}Profile`]({ ...key, profile: { w: 1 }, etag: "*", matchHeader: "If-Match" });
  const ids = (await xapi[`get${name}Profiles`](key.agent ? { agent } : { activityId: activity })).data;
  seen.profiles[name] = { first: first.data, again, merged: (await xapi[`get${name}Profile`](key)).data, ids };
  await xapi[`delete${name}Profile`]({ ...key, etag: (await xapi[`get${name}Profile`](key)).headers.etag });
  seen.profiles[name].deleted = await refused(xapi[`get${name}Profile`](key));
}

seen.activity = (await xapi.getActivity({ activityId: activity })).data;
seen.person = (await xapi.getAgent({ agent })).data;
seen.wrong = await refused(xapi.sendStatement({ statement: { ...statement({}), verb: { id: "no iri" } } }));

console.log(JSON.stringify(seen));
