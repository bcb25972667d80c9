// Receives events, and verifies that they are from the record store (Standard Webhooks). Node 20, without packages.
//
// Run it:  WEBHOOK_SECRET=whsec_… node receive.mjs
//
// It listens on this machine only; HOST=0.0.0.0 lets other machines in, PORT is another port.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const SECRET = Buffer.from(process.env.WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
const HOST = process.env.HOST ?? "127.0.0.1";
const PORT = Number(process.env.PORT ?? 9000);
const TOLERANCE = 300; // seconds that the time of an event may be off

// Whether the body was signed with our secret just now. In an overlap of secrets there are several signatures.
function isOurs(headers, body) {
  const id = headers["webhook-id"] ?? "";
  const seconds = headers["webhook-timestamp"] ?? "";
  if (!/^\d+$/.test(seconds) || Math.abs(Date.now() / 1000 - Number(seconds)) > TOLERANCE) return false;
  const wanted = createHmac("sha256", SECRET).update(`${id}.${seconds}.`).update(body).digest();
  return (headers["webhook-signature"] ?? "")
    .split(" ")
    .filter((one) => one.startsWith("v1,"))
    .map((one) => Buffer.from(one.slice(3), "base64"))
    .some((given) => given.length === wanted.length && timingSafeEqual(given, wanted));
}

// Prints the event, and what is to be forgotten.
function handle(event) {
  const told = event.data;
  console.log(event.type, JSON.stringify(told));
  if (event.type === "consent.withdrawn") {
    // Every consent includes profiles:read. If only another scope ended, the profile goes on.
    const gone = told.scopes.includes("profiles:read") ? "all" : told.scopes.join(" ");
    console.log("forget", gone, "of", told.subject);
  }
}

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts);
  const ours = request.method === "POST" && isOurs(request.headers, body);
  if (ours) {
    // Keep the event, answer, and do the work afterwards: whoever answers late is sent it again.
    handle(JSON.parse(body));
  }
  response.writeHead(ours ? 204 : 401).end();
}).listen(PORT, HOST, () => console.log(`waiting for events at http://${HOST}:${PORT}/`));
