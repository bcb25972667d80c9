// jose on one badge that is a JWT. In (stdin): {jwt, keys: JWK Set}; out: {payload, header} or {error}.
import {createLocalJWKSet, jwtVerify} from 'jose';
import {readFileSync} from 'node:fs';

const {jwt, keys} = JSON.parse(readFileSync(0, 'utf8'));
try {
  const {payload, protectedHeader} = await jwtVerify(jwt, createLocalJWKSet(keys));
  console.log(JSON.stringify({payload, header: protectedHeader}));
} catch(error) {
  console.log(JSON.stringify({error: error.code ?? error.name}));
}
