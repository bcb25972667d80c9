// Content with tincanjs as an authoring tool builds it: all it knows is the address it was launched with.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const TinCan = createRequire(import.meta.url)("tincanjs");
TinCan.disableDebug();
const given = JSON.parse(readFileSync(0, "utf8"));
const content = new TinCan({ url: given.launch });
content.recordStores[0].allowFail = false;
const place = { contentType: "application/json", registration: content.registration };
const said = (id) => ({ id, verb: { id: "http://adlnet.gov/expapi/verbs/experienced" } });

// Every method takes a callback (error, result): an error is a status, or a kind of failure without one.
const told = (error, result) => (error === null ? (result?.contents ?? "done") : `refused: ${error}`);
const call = (method, ...rest) =>
  new Promise((resolve) => {
    const callback = (error, result) => resolve(told(error, result));
    content[method](...rest, { ...place, callback });
  });
const send = (method, what) =>
  new Promise((resolve) => content[method](what, (results) => resolve(told(results[0].err, null))));

const seen = { extended: content.recordStores[0].extended };
seen.written = await call("setState", "bookmark", { page: 7 });
seen.read = await call("getState", "bookmark");
seen.one = await send("sendStatement", said(given.ids[0]));
seen.batch = await send("sendStatements", given.ids.slice(1).map(said));
seen.deleted = await call("deleteState", "bookmark");
seen.gone = await call("getState", "bookmark");
console.log(JSON.stringify(seen));
