// Wallets that nobody here wrote take badges. In (stdin): {server: where `site` really is, site, lcw: {interaction,
// deep}, openid: {offer, code}, draft: {offer, code}}; out: what each got, or {error}. Nothing goes to another host.
import {OID4Client, getCredentialOffer, robustDiscoverIssuer} from '@digitalbazaar/oid4-client';
import {Ed25519Signature2020} from '@digitalcredentials/ed25519-signature-2020';
import {Ed25519VerificationKey2020} from '@digitalcredentials/ed25519-verification-key-2020';
import {securityLoader} from '@digitalcredentials/security-document-loader';
import * as vc from '@digitalcredentials/vc';
import {Openid4vciClient} from '@openid4vc/openid4vci';
import {createHash, generateKeyPairSync, randomBytes, sign} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {SignJWT} from 'jose';

const given = JSON.parse(readFileSync(0, 'utf8'));
const real = globalThis.fetch;

async function fetchHere(input, init) {
  const request = input instanceof Request ? input : new Request(input, init);
  if(!request.url.startsWith(given.site)) {
    throw new Error(`no network: ${request.url}`);
  }
  const body = ['GET', 'HEAD'].includes(request.method) ? undefined : await request.text();
  const headers = Object.fromEntries(request.headers);
  return real(given.server + request.url.slice(given.site.length), {method: request.method, headers, body});
}
globalThis.fetch = fetchHere;

async function posted(url, body) {
  const answer = await fetchHere(url, {
    method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)
  });
  return answer.json();
}

// The Learner Credential Wallet: its libraries, and the steps of its code for an exchange and for the old deep link.
async function lcw({interaction, deep}) {
  const key = await Ed25519VerificationKey2020.generate();
  const did = `did:key:${key.fingerprint()}`;
  key.controller = did;
  key.id = `${did}#${key.fingerprint()}`;
  const suite = new Ed25519Signature2020({key});
  const documentLoader = securityLoader().build();
  const signed = (challenge, domain) => vc.signPresentation({
    presentation: vc.createPresentation({holder: did}), challenge, domain, suite, documentLoader
  });
  const answer = await fetchHere(interaction, {headers: {accept: 'application/json'}});
  const {protocols} = await answer.json();
  const asked = (await posted(protocols.vcapi, {})).verifiablePresentationRequest;
  const presentation = await signed(asked.challenge, asked.domain);
  const got = await posted(protocols.vcapi, {verifiablePresentation: presentation});
  const again = await posted(protocols.vcapi, {verifiablePresentation: presentation});
  const told = new URL(deep).searchParams;
  const bare = await posted(told.get('vc_request_url'), await signed(told.get('challenge'), undefined));
  return {
    did, protocols: Object.keys(protocols), contexts: presentation['@context'],
    credential: got.verifiablePresentation?.verifiableCredential?.[0] ?? got, again: again.error, bare
  };
}

// @openid4vc/openid4vci: one badge in both formats.
async function openid({offer, code}) {
  const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
  const jwk = publicKey.export({format: 'jwk'});
  const client = new Openid4vciClient({callbacks: {
    fetch: fetchHere,
    hash: (data, algorithm) => createHash(algorithm.replace('-', '')).update(data).digest(),
    generateRandom: length => randomBytes(length),
    clientAuthentication: () => {},
    signJwt: async (signer, {header, payload}) => ({
      jwt: await new SignJWT(payload).setProtectedHeader(header).sign(privateKey), signerJwk: jwk
    }),
    verifyJwt: async () => ({verified: false}),
    decryptJwe: async () => ({decrypted: false}),
    encryptJwe: async () => { throw new Error('not asked for'); }
  }});
  const credentialOffer = await client.resolveCredentialOffer(offer);
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
  let wrong;
  try {
    await client.retrievePreAuthorizedCodeAccessTokenFromOffer({credentialOffer, issuerMetadata, txCode: 'wrong!'});
  } catch(error) {
    wrong = error.errorResponse?.error ?? error.message;
  }
  const token = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, txCode: code
  });
  const accessToken = token.accessTokenResponse.access_token;
  const found = {};
  for(const credentialConfigurationId of credentialOffer.credential_configuration_ids) {
    const {c_nonce: nonce} = await client.requestNonce({issuerMetadata});
    const {jwt} = await client.createCredentialRequestJwtProof({
      issuerMetadata, credentialConfigurationId, nonce, signer: {method: 'jwk', alg: 'ES256', publicJwk: jwk}
    });
    const {credentialResponse} = await client.retrieveCredentials({
      issuerMetadata, credentialConfigurationId, accessToken, proofs: {jwt: [jwt]}
    });
    const notification = {notificationId: credentialResponse.notification_id, event: 'credential_accepted'};
    await client.sendNotification({issuerMetadata, accessToken, notification});
    found[credentialConfigurationId] = credentialResponse.credentials[0].credential;
  }
  return {jwk, wrong, found};
}

// Digital Bazaar's oid4-client: discovery, and a request as in Draft 13. It knows no tx_code, so it is given the token.
async function draft({offer, code}) {
  const found = await getCredentialOffer({url: offer});
  const grant = 'urn:ietf:params:oauth:grant-type:pre-authorized_code';
  const {issuerConfig, metadata} = await robustDiscoverIssuer({issuer: found.credential_issuer});
  const form = new URLSearchParams({
    grant_type: grant, 'pre-authorized_code': found.grants[grant]['pre-authorized_code'], tx_code: code
  });
  const token = await (await fetchHere(issuerConfig.token_endpoint, {method: 'POST', body: form})).json();
  const {privateKey, publicKey} = generateKeyPairSync('ed25519');
  const key = await Ed25519VerificationKey2020.from({
    type: 'Ed25519VerificationKey2020',
    publicKeyMultibase: `z${base58(Buffer.concat([Buffer.from([0xed, 1]), Buffer.from(publicKey.export({format: 'jwk'}).x, 'base64url')]))}`
  });
  const did = `did:key:${key.fingerprint()}`;
  const didProofSigner = {
    id: `${did}#${key.fingerprint()}`, algorithm: 'Ed25519', sign: ({data}) => sign(null, data, privateKey)
  };
  const client = new OID4Client({accessToken: token.access_token, issuerConfig, metadata, offer: found});
  const got = await client.requestCredential({did, didProofSigner});
  return {did, format: got.format, credential: got.credential};
}

function base58(bytes) {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let number = BigInt(`0x${bytes.toString('hex')}`), text = '';
  for(; number > 0n; number /= 58n) {
    text = alphabet[Number(number % 58n)] + text;
  }
  return text;
}

const told = {};
for(const [name, take] of Object.entries({lcw, openid, draft})) {
  try {
    told[name] = await take(given[name]);
  } catch(error) {
    told[name] = {error: `${error.name}: ${error.message} ${error.cause?.message ?? ''} ${JSON.stringify(error.cause?.data ?? '')}`};
  }
}
console.log(JSON.stringify(told));
