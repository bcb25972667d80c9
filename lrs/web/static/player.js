// The player of SCORM 1.2 content. The interface that content looks for in the windows round it (API) is scorm-again's;
// what it commits goes to our server, which turns it into statements.

const main = document.querySelector("[data-attempt]");
const { attempt, program } = main.dataset;
const note = (name) => main.querySelector(`[data-note="${name}"]`);
const content = main.querySelector("[data-content]");
let running = false;

function send(told) {
  const body = new Blob([JSON.stringify(told)], { type: "text/plain;charset=UTF-8" });
  return navigator.sendBeacon(attempt, body);
}

// A commit that is refused is said to content and learner: nobody works on in a window that saves nothing.
function outcome(answer) {
  const done = answer.status === 200;
  note("lost").hidden = done;
  return { result: done ? "true" : "false", errorCode: done ? 0 : 391 };
}

function end(back) {
  running = false;
  content.hidden = true;
  note("over").hidden = false;
  if (back) {
    const link = main.querySelector("[data-back]");
    link.href = back;
    link.hidden = false;
    main.querySelector("[data-close]").hidden = true;
  }
}

function loaded(address) {
  return new Promise((done) => {
    const script = document.createElement("script");
    script.nonce = document.querySelector("script[nonce]").nonce;
    script.src = address;
    script.addEventListener("load", () => done(true));
    script.addEventListener("error", () => done(false));
    document.head.append(script);
  });
}

const answer = await fetch(attempt);
if (answer.ok && await loaded(program)) {
  const told = await answer.json();
  const api = new Scorm12API({
    autocommit: true,
    autocommitSeconds: 30,
    alwaysSendTotalTime: true,
    lmsCommitUrl: attempt,
    logLevel: 5,
    requestHandler: (commit, about) => ({ ...commit, ended: Boolean(about?.isTerminateCommit) }),
    xhrResponseHandler: outcome,
  });
  api.loadFromJSON(told.cmi, "cmi");
  api.on("LMSInitialize", () => { running = true; send({ began: true }); });
  api.on("LMSFinish", () => end(/^https?:/.test(told.returnUrl) ? told.returnUrl : ""));
  addEventListener("pagehide", () => { if (running) send({ ...api.renderCommitCMI(true), gone: true }); });
  window.API = api;
  document.title = told.title || document.title;
  content.title = document.title;
  content.src = told.entry;
} else {
  note("lost").hidden = false;
}
