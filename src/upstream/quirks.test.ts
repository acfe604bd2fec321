import { expect, test } from 'vitest';
import { NO_QUIRKS, quirksOf } from './quirks.ts';

test.each([
  ['registry.example', {}],
  ['public.ecr.aws', { blobStat: 'get' }],
  ['registry-1.docker.io', { tagsPageSize: 100, countsPulls: true }],
  ['docker.io', { tagsPageSize: 100, countsPulls: true }],
  ['registry-1.docker.io.example', {}],
  ['quay.io', { tagsPageSize: 100 }],
  ['europe-west1-docker.pkg.dev', { tagsPageBytes: 64 * 1024 * 1024 }],
  ['eu.gcr.io', { tagsPageBytes: 64 * 1024 * 1024 }],
  ['gcr.io', { tagsPageBytes: 64 * 1024 * 1024 }],
  ['notgcr.io', {}],
  ['public.ecr.aws.example', {}],
])('%s', (hostname, quirks) => {
  expect(quirksOf(hostname)).toEqual({ ...NO_QUIRKS, ...quirks });
});
