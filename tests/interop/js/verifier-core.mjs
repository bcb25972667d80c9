// The verifier inside Learner Credential Wallet and VerifierPlus on one badge, its own document loader included.
// In (stdin): {credential, documents: {address: document}, registries}; out: {steps, errors}. What it fetches comes from
// `documents`; everything else is as good as unreachable.
import {readFileSync} from 'node:fs';

const {credential, documents, registries} = JSON.parse(readFileSync(0, 'utf8'));
const print = console.log;
console.log = console.error = () => {};
globalThis.fetch = async request => {
  const url = typeof request === 'string' ? request : request.url;
  if(!(url in documents)) {
    throw new TypeError(`no network: ${url}`);
  }
  return Response.json(documents[url]);
};

const {verifyCredential} = await import('@digitalcredentials/verifier-core');
const {log, errors} = await verifyCredential({credential, knownDIDRegistries: registries ?? []});
const steps = Object.fromEntries((log ?? []).map(({id, valid, error}) => [id, error?.name ?? valid]));
print(JSON.stringify({steps, errors: (errors ?? []).map(({name}) => name)}));
