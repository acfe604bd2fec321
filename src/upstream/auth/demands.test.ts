import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents } from '../../events.ts';
import type { ResponseBody } from '../transport/bodies/response-body.ts';
import { UpstreamResponse } from '../transport/response.ts';
import { Reporter } from '../transport/reporter.ts';
import { Demands } from './demands.ts';
import { placeOf } from './place.ts';

const URL_OF_TAGS = new URL('https://r.example/v2/a/tags/list');
const PLACE = placeOf(URL_OF_TAGS, new URL('https://r.example'));
const HOP = { method: 'GET', url: URL_OF_TAGS, headers: {} } as const;
const EMPTY = { discard: async () => undefined } as unknown as ResponseBody;

test('a discovery is shared while it runs, and not once it is over', async () => {
  const asked: string[] = [];
  const answer = (url: URL): UpstreamResponse => new UpstreamResponse(url, 401, {}, EMPTY);
  const demands = new Demands({
    send: async ({ url }) => {
      asked.push(url.pathname);
      return answer(url);
    },
    reporter: new Reporter('r.example', { clock: new ManualClock(), events: createEvents() }),
  });
  const discover = () => demands.fromRefusal(PLACE, HOP, answer(URL_OF_TAGS));
  expect(await Promise.all([discover(), discover()])).toEqual([undefined, undefined]);
  expect(asked).toEqual(['/v2/']);
  await discover();
  expect(asked).toEqual(['/v2/', '/v2/']);
});
