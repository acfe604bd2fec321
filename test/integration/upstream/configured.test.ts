import { expect, test } from 'vitest';
import { createUpstreams } from '../../../src/app/upstreams.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { createEvents } from '../../../src/events.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { inlineParser, type Parser } from '../../../src/upstream/registry/parsing/parser.ts';
import { Passage } from '../../../src/upstream/transport/passage.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { repo } from '../../support/upstream-content.ts';

test('a configured upstream has its documents read by the parser of the program, not in the thread of the server', async () => {
  await using registry = await startFakeRegistry();
  const image = registry.putImage('team/app', '1');
  const { url } = registry;
  const text = `upstreams: { registry.test: { url: "${url.origin}" } }\ndefaultUpstream: registry.test\n`;
  const sources = { env: {}, cwd: '/srv', home: '/root', readText: () => text, isProgram: () => true };
  const read: string[] = [];
  const parser: Parser = {
    run(work, bytes) {
      read.push(`${work.name} ${bytes > 0}`);
      return inlineParser.run(work, bytes);
    },
  };
  const [configured] = createUpstreams(loadConfig('config.yaml', sources), {
    clock: new ManualClock(),
    events: createEvents(),
    userAgent: 'x',
    passage: new Passage('x'),
    parser,
  });
  const upstream = configured?.upstream;
  const app = repo('team/app');
  await upstream?.manifest(app, parseReference('1'));
  await upstream?.tags(app);
  await upstream?.referrers(app, image.digest);
  await upstream?.close();
  expect(read).toEqual(['fetchedManifest true', 'tagsPage true', 'referrers true']);
});
