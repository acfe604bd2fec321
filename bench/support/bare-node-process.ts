/** `node bare-node-process.ts PORT MANIFEST-FILE DIGEST`: the program of bare-node.ts. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port, manifestFile = '', digest = ''] = process.argv.slice(2);
// Node writes a text together with the headers, in one system call.
const manifest = readFileSync(manifestFile, 'latin1');
const headers = {
  'Content-Type': 'application/vnd.oci.image.manifest.v1+json',
  'Content-Length': manifest.length,
  'Docker-Content-Digest': digest,
  ETag: `"${digest}"`,
};

createServer((_, response) => {
  response.writeHead(200, headers).end(manifest, 'latin1');
}).listen(Number(port), '127.0.0.1');
