// A full round trip by tincanjs (1.0.2). Tells what it saw; judges nothing.
import { createRequire } from "node:module";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const TinCan = createRequire(import.meta.url)("tincanjs");
TinCan.disableDebug();
const given = JSON.parse(readFileSync(0, "utf8"));
const lrs = new TinCan.LRS({ endpoint: given.endpoint, username: given.key, password: given.secret, allowFail: false });
const agent = new TinCan.Agent(given.agent);
const activity = new TinCan.Activity({ id: given.activity });
const verb = { id: "http://adlnet.gov/expapi/verbs/experienced", display: { "en-US": "experienced" } };
const statement = (more) => new TinCan.Statement({ actor: given.agent, verb, target: { id: given.activity }, ...more });
const seen = {};

// Every method takes a callback (error, result): an error is a status, or a kind of failure without one.
const call = (method, ...rest) =>
  new Promise((resolve) => {
    const options = typeof rest.at(-1) === "object" && rest.at(-1).options ? rest.pop().options : {};
    lrs[method](...rest, {
      ...options,
      callback: (error, result) =>
        resolve(error === null ? { result } : { refused: typeof error === "number" ? error : result?.status }),
    });
  });
const many = (method, params) =>
  new Promise((resolve) => lrs[method]({ ...params, callback: (error, result) => resolve({ error, result }) }));

seen.about = (await many("about", {})).result.version;
seen.sent = (await call("saveStatement", statement({ id: given.ids[0] }))).refused ?? "saved";
seen.batch = (await call("saveStatements", given.ids.slice(1).map((id) => statement({ id })))).refused ?? "saved";
const one = (await call("retrieveStatement", given.ids[0])).result;
seen.one = { id: one.id, verb: one.verb.id, target: one.target.id, stored: one.stored, authority: one.authority.name };

seen.listed = [];
let page = (
  await many("queryStatements", { params: { agent, verb: new TinCan.Verb(verb), activity, limit: 2, ascending: true } })
).result;
for (;;) {
  seen.listed.push(...page.statements.map((one) => one.id));
  if (!page.more) break;
  page = (await many("moreStatements", { url: page.more })).result;
}

const content = new TextEncoder().encode("a file\r\n--\r\nwith lines").buffer;
const attachment = {
  usageType: "https://example.org/usage",
  display: { en: "file" },
  contentType: "text/plain",
  length: content.byteLength,
  sha2: createHash("sha256").update(new Uint8Array(content)).digest("hex"),
  content,
};
const attached = statement({ attachments: [attachment] });
seen.attached = (await call("saveStatement", attached)).refused ?? "saved";
const back = (await call("retrieveStatement", attached.id, { options: { params: { attachments: true } } })).result;
seen.file = back.attachments[0].getContentAsString();

const voider = new TinCan.Statement({
  actor: given.agent,
  verb: { id: "http://adlnet.gov/expapi/verbs/voided" },
  target: { objectType: "StatementRef", id: given.ids[0] },
});
seen.voiding = (await call("saveStatement", voider)).refused ?? "saved";
seen.gone = (await call("retrieveStatement", given.ids[0])).refused;
seen.voided = (await call("retrieveVoidedStatement", given.ids[0])).result.id;

const where = { agent, activity };
const json = { contentType: "application/json" };
seen.state = [(await call("saveState", "bookmark", { page: 1 }, { options: { ...where, ...json } })).refused ?? "saved"];
seen.state.push((await call("saveState", "bookmark", { chapter: "b" }, { options: { ...where, ...json, method: "POST" } })).refused ?? "merged");
const state = (await call("retrieveState", "bookmark", { options: where })).result;
seen.state.push(state.contents, state.contentType, state.etag);
seen.states = (await many("retrieveStateIds", where)).result;
seen.state.push((await call("saveState", "bookmark", { page: 2 }, { options: { ...where, ...json, lastSHA1: state.etag.slice(1, -1) } })).refused ?? "saved");
seen.state.push((await call("saveState", "bookmark", { page: 3 }, { options: { ...where, ...json, lastSHA1: state.etag.slice(1, -1) } })).refused ?? "saved");
seen.state.push((await call("dropState", "bookmark", { options: where })).refused ?? "dropped");
seen.state.push((await call("retrieveState", "bookmark", { options: where })).result);

seen.profiles = {};
for (const [name, place] of [
  ["Activity", { activity }],
  ["Agent", { agent }],
]) {
  const steps = [(await call(`save${name}Profile`, "p", { v: 1 }, { options: { ...place, ...json } })).refused ?? "saved"];
  const first = (await call(`retrieve${name}Profile`, "p", { options: place })).result;
  steps.push(first.contents);
  steps.push((await call(`save${name}Profile`, "p", { v: 2 }, { options: { ...place, ...json } })).refused ?? "saved");
  steps.push((await call(`save${name}Profile`, "p", { v: 3 }, { options: { ...place, ...json, lastSHA1: first.etag.slice(1, -1) } })).refused ?? "saved");
  steps.push((await many(`retrieve${name}ProfileIds`, place)).result);
  steps.push((await call(`drop${name}Profile`, "p", { options: place })).refused ?? "dropped");
  seen.profiles[name] = steps;
}

const told = (await call("retrieveActivity", given.activity)).result;
seen.activity = told.id;

console.log(JSON.stringify(seen));
