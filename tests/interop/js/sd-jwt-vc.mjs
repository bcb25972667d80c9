// @sd-jwt/sd-jwt-vc on one badge that is an SD-JWT VC. In (stdin): {sdJwt, keys: JWK Set, lists: {address: JWT},
// show: names of claims that are presented, default all}; out: {payload} with what is disclosed, or {error}.
import {SDJwtVcInstance} from '@sd-jwt/sd-jwt-vc';
import {digest, generateSalt} from '@sd-jwt/crypto-nodejs';
import {readFileSync} from 'node:fs';
import {compactVerify, createLocalJWKSet} from 'jose';

const {sdJwt, keys, lists, show} = JSON.parse(readFileSync(0, 'utf8'));
const known = createLocalJWKSet(keys);

async function verifier(data, signature) {
  try {
    await compactVerify(`${data}.${signature}`, known);
    return true;
  } catch {
    return false;
  }
}

const instance = new SDJwtVcInstance({
  verifier, hasher: digest, hashAlg: 'sha-256', saltGenerator: generateSalt, statusVerifier: verifier,
  statusListFetcher: async uri => {
    if(!(uri in lists)) {
      throw new Error(`no network: ${uri}`);
    }
    return lists[uri];
  }
});
try {
  const frame = show && Object.fromEntries(show.map(name => [name, true]));
  const presented = frame ? await instance.present(sdJwt, frame) : sdJwt;
  const {payload} = await instance.verify(presented);
  console.log(JSON.stringify({payload}));
} catch(error) {
  console.log(JSON.stringify({error: error.message}));
}
