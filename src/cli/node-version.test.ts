import { expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { nodeRefusal, OLDEST_NODE } from './node-version.ts';

it.each(['24.0.0', '24.21.0', '30.1.0'])('Node %s runs it', (version) => {
  expect(nodeRefusal(version)).toBeUndefined();
});

it.each(['18.20.4', '20.19.0', '23.9.0', '9.0.0'])('Node %s is refused by name', (version) => {
  expect(nodeRefusal(version)).toContain(`larder needs Node 24 or later, and this is Node ${version}:`);
});

it('the package says the same', () => {
  expect(manifest.engines.node).toBe(`>=${OLDEST_NODE}`);
});
