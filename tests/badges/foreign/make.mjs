// Badges of others, made with software nobody here wrote, for tests/badges/verifying/test_foreign.py. Writes js.json:
// {"documents": {name: text}, "web": {address: text}}. Run in a folder with the packages of package.json:
//   node make.mjs CONTEXTS OUT   (CONTEXTS: badges/contexts, with index.json made by make.py)
import * as Ecdsa from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as sd from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import jsigs from 'jsonld-signatures';
import {cryptosuite as ecdsaRdfc} from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import {cryptosuite as eddsaRdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {Ed25519Signature2020} from '@digitalbazaar/ed25519-signature-2020';
import {Ed25519VerificationKey2020} from '@digitalbazaar/ed25519-verification-key-2020';
import {SDJwtVcInstance} from '@sd-jwt/sd-jwt-vc';
import {digest, ES256, generateSalt} from '@sd-jwt/crypto-nodejs';
import * as jose from 'jose';
import {deflateSync, gzipSync} from 'node:zlib';
import {readFileSync, writeFileSync} from 'node:fs';

const [contexts, out] = process.argv.slice(2);
const index = JSON.parse(readFileSync(`${contexts}/index.json`));
const documentLoader = async url => {
  if (!index[url]) throw new Error(`no ${url}`);
  return {contextUrl: null, documentUrl: url, document: JSON.parse(readFileSync(`${contexts}/${index[url]}`))};
};
const documents = {}, web = {};
const put = (name, value) => { documents[name] = typeof value === 'string' ? value : JSON.stringify(value); };
const host = (url, value) => { web[url] = typeof value === 'string' ? value : JSON.stringify(value); };

const V1 = 'https://www.w3.org/2018/credentials/v1', V2 = 'https://www.w3.org/ns/credentials/v2';
const OB = 'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json';
const FIRST = 'https://purl.imsglobal.org/spec/ob/v3p0/context.json';
const SITE = 'https://college.example.org';
const WEB = 'did:web:college.example.org';
const FROM = '2026-01-10T09:00:00Z', UNTIL = '2036-01-10T09:00:00Z';

const subject = {
  type: ['AchievementSubject'],
  identifier: [{type: 'IdentityObject', hashed: true, identityType: 'emailAddress', salt: 'deadsea',
    identityHash: 'sha256$c8d32d06746899d78eefe21857f5f8327c15f5f4fe7999d42c5c65fcd71e050e'}], // mayze@example.org
  achievement: {id: `${SITE}/achievements/pipetting`, type: ['Achievement'], name: 'Pipetting',
    description: 'Pipettes volumes down to one microlitre', criteria: {narrative: 'Observed three times'}},
};
const profile = id => ({id, type: ['Profile'], name: 'College of the Example'});
const badge = (name, issuer, more = {}) => ({
  '@context': [V2, OB], id: `urn:uuid:${crypto.randomUUID()}`, type: ['VerifiableCredential', 'OpenBadgeCredential'],
  name: `Pipetting (${name})`, issuer: profile(issuer), validFrom: FROM, credentialSubject: structuredClone(subject), ...more,
});
const former = (name, issuer, extra) => {
  const {validFrom, ...rest} = badge(name, issuer);
  return {...rest, '@context': [V1, FIRST, extra], issuanceDate: validFrom};
};
const sign = (document, suite) => jsigs.sign(document, {
  suite, documentLoader, purpose: new jsigs.purposes.AssertionProofPurpose(),
});

// keys
const ed = await Ed25519Multikey.generate();
const p256 = await Ecdsa.generate({curve: 'P-256'}), p384 = await Ecdsa.generate({curve: 'P-384'});
const asDidKey = key => { const did = `did:key:${key.publicKeyMultibase}`; key.id = `${did}#${key.publicKeyMultibase}`; key.controller = did; return did; };
const edDid = asDidKey(ed), p256Did = asDidKey(p256), p384Did = asDidKey(p384);
const webKeys = [];
const webEd = await Ed25519Multikey.generate(), webEc = await Ecdsa.generate({curve: 'P-256'});
const listed = async (names) => {
  for (const key of names) { key.id = `${WEB}#${key.publicKeyMultibase}`; key.controller = WEB; webKeys.push({id: key.id, type: 'Multikey', controller: WEB, publicKeyMultibase: key.publicKeyMultibase}); }
};
await listed([webEd, webEc]);
const rsa = await jose.generateKeyPair('RS256', {extractable: true}), es = await jose.generateKeyPair('ES256', {extractable: true}), ok = await jose.generateKeyPair('EdDSA', {extractable: true});
for (const [name, pair] of Object.entries({rsa, es, ok})) {
  pair.id = `${WEB}#${name}`; pair.jwk = await jose.exportJWK(pair.publicKey);
  webKeys.push({id: pair.id, type: 'JsonWebKey', controller: WEB, publicKeyJwk: pair.jwk});
}
const odd = {};
for (const name of ['revoked', 'expired', 'unlisted', 'embedded']) {
  odd[name] = await Ed25519Multikey.generate();
  Object.assign(odd[name], {id: `${WEB}#${odd[name].publicKeyMultibase}`, controller: WEB});
}
const entry = key => ({id: key.id, type: 'Multikey', controller: WEB, publicKeyMultibase: key.publicKeyMultibase});
host(`${SITE}/.well-known/did.json`, {
  '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'], id: WEB,
  verificationMethod: [...webKeys, {...entry(odd.revoked), revoked: '2026-03-01T00:00:00Z'}, {...entry(odd.expired), expires: '2026-02-01T00:00:00Z'}, entry(odd.unlisted)],
  assertionMethod: [...webKeys.map(key => key.id), odd.revoked.id, odd.expired.id, entry(odd.embedded)],
});

// Data Integrity
const eddsa = key => new DataIntegrityProof({signer: key.signer(), cryptosuite: eddsaRdfc, date: FROM});
const ecdsa = key => new DataIntegrityProof({signer: key.signer(), cryptosuite: ecdsaRdfc, date: FROM});
put('eddsa-did-key', await sign(badge('eddsa', edDid), eddsa(ed)));
put('eddsa-did-web', await sign(badge('web', WEB), eddsa(webEd)));
put('eddsa-vcdm-1', await sign(former('eddsa, 1.1', edDid, 'https://w3id.org/security/data-integrity/v2'), eddsa(ed)));
put('ecdsa-p256', await sign(badge('P-256', p256Did), ecdsa(p256)));
put('ecdsa-p384', await sign(badge('P-384', p384Did), ecdsa(p384)));
const old = await Ed25519VerificationKey2020.generate();
const oldDid = `did:key:${old.publicKeyMultibase}`;
Object.assign(old, {id: `${oldDid}#${old.publicKeyMultibase}`, controller: oldDid});
const suite2020 = () => new Ed25519Signature2020({key: old, date: FROM});
put('ed25519-2020', await sign(former('2020', oldDid, 'https://w3id.org/security/suites/ed25519-2020/v1'), suite2020()));
const twice = await sign(await sign(badge('two proofs', WEB), eddsa(webEd)), ecdsa(webEc));
put('two-proofs', twice);
for (const [name, key] of Object.entries(odd)) put(`key-${name}`, await sign(badge(name, WEB), eddsa(key)));
const sdSuite = new DataIntegrityProof({signer: p256.signer(), date: FROM, cryptosuite: sd.createSignCryptosuite({mandatoryPointers: ['/@context', '/issuer', '/validFrom', '/type', '/id', '/credentialSubject/type', '/credentialSubject/achievement']})});
const whole = await sign({...badge('selective', p256Did), awardedDate: FROM}, sdSuite);
put('ecdsa-sd-base', whole);
const shown = new DataIntegrityProof({cryptosuite: sd.createDiscloseCryptosuite({proofId: null, selectivePointers: ['/name', '/credentialSubject/identifier']})});
put('ecdsa-sd-derived', await jsigs.derive(whole, {suite: shown, documentLoader, purpose: new jsigs.purposes.AssertionProofPurpose()}));

// presentations
const eddsaBadge = JSON.parse(documents['eddsa-did-key']);
const presented = await jsigs.sign({'@context': [V2, 'https://w3id.org/security/suites/ed25519-2020/v1'], type: ['VerifiablePresentation'], holder: oldDid, verifiableCredential: [eddsaBadge]},
  {suite: suite2020(), documentLoader, purpose: new jsigs.purposes.AuthenticationProofPurpose({challenge: '1f44d55f-f161-4938-a659-f8026467f126', domain: 'college.example.org'})});
put('presentation-ed25519-2020', presented);

// JWT
const jwt = (payload, header, key) => new jose.SignJWT(payload).setProtectedHeader({typ: 'JWT', ...header}).sign(key);
const seconds = text => Math.floor(Date.parse(text) / 1000);
const claims = (document, more = {}) => ({...document, iss: document.issuer.id, jti: document.id, nbf: seconds(FROM), ...(document.credentialSubject.id ? {sub: document.credentialSubject.id} : {}), ...more});
const holder = 'did:example:holder-of-it';
const withHolder = document => { document.credentialSubject.id = 'urn:uuid:4f0e8d9c-5c1a-4a05-8a02-2b8e7b2d9d01'; return document; };
put('jwt-rs256', await jwt(claims(withHolder(badge('RS256', WEB))), {alg: 'RS256', kid: rsa.id}, rsa.privateKey));
put('jwt-es256', await jwt(claims(withHolder(badge('ES256', WEB, {validUntil: UNTIL})), {exp: seconds(UNTIL)}), {alg: 'ES256', kid: es.id, typ: 'vc+jwt'}, es.privateKey));
put('jwt-eddsa', await jwt(claims(withHolder(badge('EdDSA', WEB))), {alg: 'EdDSA', kid: ok.id}, ok.privateKey));
const own = await jose.generateKeyPair('ES256', {extractable: true});
const ownJwk = await jose.exportJWK(own.publicKey);
const didJwk = `did:jwk:${jose.base64url.encode(JSON.stringify(ownJwk))}`;
put('jwt-did-jwk', await jwt(claims(badge('did:jwk', didJwk)), {alg: 'ES256', kid: `${didJwk}#0`}, own.privateKey));
host(`${SITE}/keys/1`, {...rsa.jwk, kid: `${SITE}/keys/1`});
host(`${SITE}/.well-known/jwks.json`, {keys: [{...es.jwk, kid: 'es', iss: SITE}, {...rsa.jwk, kid: 'rsa'}]});
put('jwt-kid-address', await jwt(claims(badge('kid', SITE)), {alg: 'RS256', kid: `${SITE}/keys/1`}, rsa.privateKey));
put('jwt-jwk-header', await jwt(claims(badge('jwk', SITE)), {alg: 'RS256', jwk: rsa.jwk}, rsa.privateKey));
const evil = await jose.generateKeyPair('RS256', {extractable: true}), evilJwk = await jose.exportJWK(evil.publicKey);
host('https://evil.example.org/keys/1', evilJwk);
put('jwt-foreign-kid', await jwt(claims(badge('foreign kid', SITE)), {alg: 'RS256', kid: 'https://evil.example.org/keys/1'}, evil.privateKey));
put('jwt-foreign-jwk', await jwt(claims(badge('foreign jwk', SITE)), {alg: 'RS256', jwk: evilJwk}, evil.privateKey));
put('jwt-wrong-claims', await jwt(claims(badge('claims', WEB), {jti: 'urn:uuid:another'}), {alg: 'RS256', kid: rsa.id}, rsa.privateKey));
put('jwt-expired', await jwt(claims(badge('expired', WEB), {exp: seconds('2026-02-01T00:00:00Z')}), {alg: 'RS256', kid: rsa.id}, rsa.privateKey));
put('jwt-ps256', await jwt(claims(badge('PS256', WEB)), {alg: 'PS256', kid: rsa.id}, await jose.importJWK(await jose.exportJWK(rsa.privateKey), 'PS256')));
put('jwt-hs256', await jwt(claims(badge('HS256', WEB)), {alg: 'HS256', kid: rsa.id}, new TextEncoder().encode(rsa.jwk.n)));
put('jwt-undefined-term', await jwt(claims(badge('undefined', WEB, {status: 'fine'})), {alg: 'RS256', kid: rsa.id}, rsa.privateKey));
const wrapped = former('vc claim', WEB, 'https://w3id.org/security/suites/ed25519-2020/v1');
put('jwt-vc-claim', await jwt({vc: wrapped, iss: WEB, jti: wrapped.id, nbf: seconds(FROM)}, {alg: 'ES256', kid: es.id}, es.privateKey));
put('presentation-jwt', await jwt({'@context': [V2], type: ['VerifiablePresentation'], holder: didJwk, iss: didJwk,
  verifiableCredential: [{'@context': V2, id: `data:application/vc+jwt,${documents['jwt-es256']}`, type: 'EnvelopedVerifiableCredential'}]},
{alg: 'ES256', kid: `${didJwk}#0`, typ: 'vp+jwt'}, own.privateKey));

// status lists
const bits = set => { const raw = Buffer.alloc(16384); for (const at of set) raw[at >> 3] |= 128 >> (at & 7); return raw; };
const encoded = set => jose.base64url.encode(gzipSync(bits(set)));
const listAt = (name, purpose, set, more = {}) => ({
  '@context': [V2], id: `${SITE}/status/${name}`, type: ['VerifiableCredential', 'BitstringStatusListCredential'], issuer: WEB, validFrom: FROM,
  credentialSubject: {id: `${SITE}/status/${name}#list`, type: 'BitstringStatusList', statusPurpose: purpose, encodedList: `u${encoded(set)}`}, ...more,
});
const place = (name, purpose, at) => ({id: `${SITE}/status/${name}#${at}`, type: 'BitstringStatusListEntry', statusPurpose: purpose, statusListIndex: String(at), statusListCredential: `${SITE}/status/${name}`});
host(`${SITE}/status/revocation`, await sign(listAt('revocation', 'revocation', [7]), eddsa(webEd)));
host(`${SITE}/status/suspension`, await sign(listAt('suspension', 'suspension', [7]), eddsa(webEd)));
const both = listAt('both', 'revocation', [7]); both.credentialSubject.statusPurpose = ['revocation', 'suspension'];
host(`${SITE}/status/both`, await sign(both, eddsa(webEd)));
host(`${SITE}/status/jwt`, await jwt({...listAt('jwt', 'revocation', [7]), iss: WEB, jti: `${SITE}/status/jwt`}, {alg: 'ES256', kid: es.id, typ: 'vc+jwt'}, es.privateKey));
host(`${SITE}/status/stale`, await sign(listAt('stale', 'revocation', [], {validUntil: '2026-02-01T00:00:00Z'}), eddsa(webEd)));
host(`${SITE}/status/other`, await sign({...listAt('other', 'revocation', []), issuer: edDid}, eddsa(ed)));
const cut = await sign({...listAt('cut', 'revocation', []), credentialSubject: {type: 'BitstringStatusList', statusPurpose: 'revocation', encodedList: `u${encoded([]).slice(0, 40)}`}}, eddsa(webEd));
host(`${SITE}/status/cut`, cut);
const bomb = jose.base64url.encode(gzipSync(Buffer.alloc(60 * 1024 * 1024)));
host(`${SITE}/status/bomb`, await sign({...listAt('bomb', 'revocation', []), credentialSubject: {type: 'BitstringStatusList', statusPurpose: 'revocation', encodedList: `u${bomb}`}}, eddsa(webEd)));
const withStatus = async (name, status) => put(name, await sign(badge(name, WEB, {credentialStatus: status}), eddsa(webEd)));
await withStatus('status-clear', place('revocation', 'revocation', 8));
await withStatus('status-revoked', place('revocation', 'revocation', 7));
await withStatus('status-suspended', [place('revocation', 'revocation', 8), place('suspension', 'suspension', 7)]);
await withStatus('status-two-clear', [place('revocation', 'revocation', 8), place('suspension', 'suspension', 8)]);
await withStatus('status-both-purposes', place('both', 'suspension', 7));
await withStatus('status-jwt-clear', place('jwt', 'revocation', 8));
await withStatus('status-jwt-revoked', place('jwt', 'revocation', 7));
for (const name of ['stale', 'other', 'cut', 'bomb', 'gone']) await withStatus(`status-${name}`, place(name, 'revocation', 8));
const list2021 = {'@context': [V1, 'https://w3id.org/vc/status-list/2021/v1', 'https://w3id.org/security/suites/ed25519-2020/v1'], id: `${SITE}/status/2021`, type: ['VerifiableCredential', 'StatusList2021Credential'], issuer: oldDid, issuanceDate: FROM,
  credentialSubject: {id: `${SITE}/status/2021#list`, type: 'StatusList2021', statusPurpose: 'revocation', encodedList: encoded([7])}};
host(`${SITE}/status/2021`, await sign(list2021, suite2020()));
for (const at of [7, 8]) {
  const one = former(`2021, ${at}`, oldDid, 'https://w3id.org/security/suites/ed25519-2020/v1');
  one['@context'].push('https://w3id.org/vc/status-list/2021/v1');
  one.credentialStatus = {...place('2021', 'revocation', at), type: 'StatusList2021Entry'};
  put(`status-2021-${at === 7 ? 'revoked' : 'clear'}`, await sign(one, suite2020()));
}
const EXT = 'https://purl.imsglobal.org/spec/ob/v3p0/extensions.json';
for (const name of ['vcrl-clear', 'vcrl-revoked']) put(name, await sign({...badge(name, WEB, {credentialStatus: {id: `${SITE}/vcrl`, type: '1EdTechRevocationList'}}), '@context': [V2, OB, EXT]}, eddsa(webEd)));
host(`${SITE}/vcrl`, {id: `${SITE}/vcrl`, issuer: WEB, revokedCredential: [{id: JSON.parse(documents['vcrl-revoked']).id, revoked: true, revocationReason: 'A mistake'}]});

// dates, suites, schema, endorsements
put('expired', await sign(badge('expired', WEB, {validUntil: '2026-02-01T00:00:00Z'}), eddsa(webEd)));
put('not-yet', await sign(badge('not yet', WEB, {validFrom: '2036-02-01T00:00:00Z'}), eddsa(webEd)));
const schema = {id: 'https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json', type: '1EdTechJsonSchemaValidator2019'};
put('schema', await sign({...badge('schema', WEB, {credentialSchema: [schema]}), '@context': [V2, OB, EXT]}, eddsa(webEd)));
const broken = {...badge('schema, broken', WEB, {credentialSchema: [schema]}), '@context': [V2, OB, EXT]};
broken.credentialSubject.achievement.inLanguage = 'English, mostly';
put('schema-broken', await sign(broken, eddsa(webEd)));
const endorse = (about, more = {}) => ({'@context': [V2, OB], id: `urn:uuid:${crypto.randomUUID()}`, type: ['VerifiableCredential', 'EndorsementCredential'], name: 'Endorsement', issuer: profile(edDid), validFrom: FROM, credentialSubject: {id: about, type: ['EndorsementSubject'], endorsementComment: 'We hire for this'}, ...more});
const about = subject.achievement.id;
const endorsed = async (name, endorsement, member = 'endorsement') => { const one = badge(name, WEB); one.credentialSubject.achievement[member] = [endorsement]; put(name, await sign(one, eddsa(webEd))); };
await endorsed('endorsed', await sign(endorse(about), eddsa(ed)));
await endorsed('endorsed-expired', await sign(endorse(about, {validUntil: '2026-02-01T00:00:00Z'}), eddsa(ed)));
await endorsed('endorsed-another', await sign(endorse('urn:uuid:another'), eddsa(ed)));
const forgedEndorsement = await sign(endorse(about), eddsa(ed)); forgedEndorsement.credentialSubject.endorsementComment = 'The best there is';
await endorsed('endorsed-forged', forgedEndorsement);
const said = endorse(about, {issuer: profile(didJwk)});
await endorsed('endorsed-jwt', await jwt({...said, iss: didJwk, jti: said.id, sub: about, nbf: seconds(FROM)}, {alg: 'ES256', kid: `${didJwk}#0`}, own.privateKey), 'endorsementJwt');

// SD-JWT VC of the type that we issue
const signer = await ES256.getSigner(await jose.exportJWK(es.privateKey));
const sdjwt = new SDJwtVcInstance({signer, signAlg: 'ES256', hasher: digest, saltGenerator: generateSalt, hashAlg: 'sha-256'});
host(`${SITE}/.well-known/jwt-vc-issuer`, {issuer: SITE, jwks: {keys: [{...es.jwk, kid: 'es'}]}});
const tokenBits = Buffer.alloc(16384); tokenBits[0] |= 1 << 7;
host(`${SITE}/status/token`, await jwt({sub: `${SITE}/status/token`, iss: SITE, iat: seconds(FROM), status_list: {bits: 1, lst: jose.base64url.encode(deflateSync(tokenBits))}}, {alg: 'ES256', kid: 'es', typ: 'statuslist+jwt'}, es.privateKey));
for (const [name, at] of [['sd-jwt', 8], ['sd-jwt-revoked', 7]]) put(name, await sdjwt.issue({
  iss: SITE, iat: seconds(FROM), vct: 'https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential', badge: 'urn:uuid:6a3e', issuer_name: 'College of the Example',
  achievement: {id: about, name: 'Pipetting', description: 'Pipettes'}, awarded: FROM, identifier: subject.identifier, status: {status_list: {idx: at, uri: `${SITE}/status/token`}},
}, {_sd: ['awarded', 'identifier']}, {header: {kid: 'es'}}));
put('sd-jwt-other-type', await sdjwt.issue({iss: SITE, iat: seconds(FROM), vct: 'urn:eudi:pid:1', given_name: 'Ada'}, {_sd: ['given_name']}, {header: {kid: 'es'}}));

writeFileSync(out, JSON.stringify({documents, web}, null, 1) + '\n');
console.log(Object.keys(documents).length, Object.keys(web).length);
