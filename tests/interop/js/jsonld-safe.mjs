// jsonld.js in safe mode, as 1EdTech's validator runs it. In (stdin): {contexts: {address: document}, documents: [...]};
// out: for each document, "" or the name of the event that safe mode refuses.
import jsonld from 'jsonld';
import {readFileSync} from 'node:fs';

const {contexts, documents} = JSON.parse(readFileSync(0, 'utf8'));
const documentLoader = async url => {
  if(!(url in contexts)) {
    throw new Error(`not known here: ${url}`);
  }
  return {contextUrl: null, documentUrl: url, document: contexts[url]};
};

const said = [];
for(const document of documents) {
  try {
    await jsonld.expand(document, {safe: true, documentLoader});
    said.push('');
  } catch(error) {
    said.push(error.details?.event?.code ?? error.message);
  }
}
console.log(JSON.stringify(said));
