// Gets an access token, and what the learners who agreed can do. Node 20, without packages.
//
// Run it:  ADDRESS=https://… CLIENT_ID=… CLIENT_SECRET=… node pull.mjs

const { ADDRESS, CLIENT_ID, CLIENT_SECRET } = process.env;

async function ask(path, token, form) {
  const answer = await fetch(ADDRESS + path, {
    method: form ? "POST" : "GET",
    headers: token ? { Authorization: `Bearer ${token}` } : {},
    body: form && new URLSearchParams(form),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

// All that changed after the cursor. Keep the cursor of the last page: begin there the next time.
async function* changed(token, cursor) {
  for (;;) {
    const page = await ask("/api/profiles" + (cursor ? `?${new URLSearchParams({ cursor })}` : ""), token);
    yield* page.profiles;
    if (!page.more) return;
    cursor = page.cursor;
  }
}

const form = { grant_type: "client_credentials", client_id: CLIENT_ID, client_secret: CLIENT_SECRET };
const { access_token: token } = await ask("/oauth/token", undefined, form);
let isEmpty = true;
for await (const one of changed(token)) {
  isEmpty = false;
  if (one.deleted) {
    console.log(one.subject, "is to be forgotten"); // whoever withdrew
    continue;
  }
  for (const held of one.profile.competencies) {
    console.log(one.subject, held.competency.label, held.level.ordinal, held.validUntil ?? "no end");
  }
}
if (isEmpty) console.log("nobody has agreed yet, or there is no record yet of those who did");
