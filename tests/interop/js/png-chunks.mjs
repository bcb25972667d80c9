// png-chunks-extract on one image. In (stdin): {png: base64}; out: [{name, text}], text of iTXt chunks only.
import extract from 'png-chunks-extract';
import {readFileSync} from 'node:fs';

const {png} = JSON.parse(readFileSync(0, 'utf8'));
const found = extract(new Uint8Array(Buffer.from(png, 'base64')));
console.log(JSON.stringify(found.map(({name, data}) => ({
  name, text: name === 'iTXt' ? Buffer.from(data).toString('utf8') : ''
}))));
