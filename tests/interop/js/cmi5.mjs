// Content that was launched at the address it is given, by @rusticisoftware/cmi5 or @xapi/cmi5, from start to end.
// Both are made for pages, so they find the little of a page that they look for. Tells what it saw; judges nothing.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const given = JSON.parse(readFileSync(0, "utf8"));
globalThis.self = globalThis;
globalThis.window = globalThis;
globalThis.location = new URL(given.url);
// @xapi/cmi5 asks by XMLHttpRequest, which Node does not have: as much of it as its client (axios) uses.
globalThis.XMLHttpRequest = class {
  headers = {};
  onloadend = null;
  open(method, url) {
    Object.assign(this, { method: method.toUpperCase(), url });
  }
  setRequestHeader(name, value) {
    this.headers[name] = value;
  }
  getAllResponseHeaders() {
    return this.answered.map(([name, value]) => `${name}: ${value}`).join("\r\n");
  }
  async send(body) {
    const answer = await fetch(this.url, { method: this.method, headers: this.headers, body: body ?? undefined });
    this.answered = [...answer.headers];
    this.responseText = this.response = await answer.text();
    Object.assign(this, { status: answer.status, statusText: answer.statusText, responseURL: answer.url, readyState: 4 });
    this.onloadend();
  }
};
const require = createRequire(import.meta.url);
const score = { scaled: 0.95, raw: 95, min: 0, max: 100 };
const seen = {};
const refused = (promise) =>
  promise.then(
    () => "accepted",
    (error) => String(error.message ?? error),
  );

if (given.library === "rustici") {
  const Cmi5 = require("@rusticisoftware/cmi5");
  const unit = new Cmi5(given.url);
  await unit.start();
  Object.assign(seen, { mode: unit.getLaunchMode(), mastery: unit.getMasteryScore(), session: unit.getSessionId() });
  unit.setLanguagePreference("en-GB");
  unit.setAudioPreference("off");
  await unit.saveLearnerPrefs();
  await unit.sendStatement(unit.prepareStatement("http://adlnet.gov/expapi/verbs/experienced"));
  await unit.completed();
  await unit.passed(score);
  seen.again = await refused(unit.sendStatement(unit.passedStatement(score)));
  await unit.terminate();
  seen.after = await refused(unit.sendStatement(unit.prepareStatement("http://adlnet.gov/expapi/verbs/experienced")));
} else {
  const module = require("@xapi/cmi5/dist/Cmi5.umd.js");
  const Cmi5 = module.default ?? module;
  const unit = Cmi5.instance;
  await unit.initialize();
  const data = unit.getLaunchData();
  Object.assign(seen, { mode: data.launchMode, mastery: data.masteryScore });
  await unit.interactionTrueFalse("test-1", "question-1", true, true);
  await unit.complete();
  await unit.pass(score);
  seen.again = await refused(unit.pass(score));
  await unit.terminate();
  seen.after = await refused(unit.interactionTrueFalse("test-1", "question-2", true, true));
}
process.stdout.write(JSON.stringify(seen));
