/** `node bare-node-process.ts PORT MANIFEST-FILE DIGEST`: the program of bare-node.ts. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port, manifestFile = '', digest = ''] = process.argv.slice(2);
const manifest = readFileSync(manifestFile);
const headers = {
  'Content-Type': 'application/vnd.oci.image.manifest.v1+json',
  'Content-Length': manifest.length,
  'Docker-Content-Digest': digest,
  ETag: `"${digest}"`,
};

createServer((_, response) => {
  response.writeHead(200, headers).end(manifest);
}).listen(Number(port), '127.0.0.1');
