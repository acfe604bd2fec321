import { expect } from 'vitest';
import type { AnswerTable } from '../../support/disagreeing-registry.ts';
import { waysOfBlob, type BlobState } from './blob-model.ts';
import { waysOfDigest, type DigestState } from './digest-model.ts';
import { waysOfReferrers, waysOfTags, type ListState } from './list-model.ts';
import type { Scene, Stage } from './scene.ts';
import { waysOfTag, type TagState } from './tag-model.ts';
import type { Got, Method, Way } from './way.ts';

/** What a client asks for, and what Larder knows of it before. */
export type Asking =
  | { readonly what: 'tag'; readonly state: TagState; readonly method: Method }
  | { readonly what: 'digest'; readonly state: DigestState; readonly method: Method }
  | { readonly what: 'blob'; readonly state: BlobState; readonly method: Method }
  | { readonly what: 'tags' | 'referrers'; readonly state: ListState; readonly method: 'GET' };

function waysOf(asking: Asking, table: AnswerTable): readonly Way[] {
  switch (asking.what) {
    case 'tag':
      return waysOfTag({ ...asking, table });
    case 'digest':
      return waysOfDigest(asking.state, asking.method, table);
    case 'blob':
      return waysOfBlob(asking.state, asking.method, table);
    case 'tags':
      return waysOfTags(asking.state, table);
    case 'referrers':
      return waysOfReferrers(asking.state, table);
  }
}

/**
 * Asks three times: while the registry disagrees with itself, when it is right again and the tag has moved, and when
 * Larder remembers no answer any more. The model says what each question may get.
 */
export async function play(stage: Stage, asking: Asking, answers: AnswerTable): Promise<void> {
  const table = isClaimed(asking) ? ofBlobsAlone(answers) : answers;
  const scene = stage.scene();
  const end = await prepare(scene, asking, table);
  try {
    const got = await ask(scene, asking);
    const how = `${JSON.stringify({ ...asking, ...table })}\nUpstream was asked:\n${scene.requests.join('\n')}\n`;
    const ways = waysOf(asking, table);
    expect(gotBy(ways), `by ${how}`).toContain(got);
    await expectCachedServed(scene, asking);
    end();
    scene.push();
    const next = await ask(scene, asking);
    expect(nextAfter(ways, got), `${got} was got by ${how}and next:`).toContain(next);
    scene.waitLong();
    const right = asking.what === 'tag' ? 'newest' : 'asked';
    expect(await ask(scene, asking), `long after ${got} and ${next} by ${how}`).toBe(right);
  } finally {
    end();
    await scene.end();
  }
}

function gotBy(ways: readonly Way[]): readonly Got[] {
  return ways.map(({ got }) => got);
}

function nextAfter(ways: readonly Way[], got: Got): readonly Got[] {
  return ways.flatMap((way) => (way.got === got ? way.next : []));
}

async function ask(scene: Scene, { what, method }: Asking): Promise<Got> {
  const path = scene[`${what}Path`];
  try {
    const answer = await (what === 'blob'
      ? scene.askPatiently(path, { method })
      : scene.ask(path, { method }));
    return scene.told(path, answer, method === 'HEAD');
  } catch (error) {
    // If Larder cuts the connection at once, the client may not even get the headers.
    if (error instanceof Error && 'code' in error && error.code === 'ECONNRESET') return 'cut';
    throw error;
  }
}

/** Brings Larder into the state, and begins the disagreement. @returns a function that ends it */
async function prepare(scene: Scene, asking: Asking, table: AnswerTable): Promise<() => void> {
  const { state, method } = asking;
  const path = scene[`${asking.what}Path`];
  if (isClaimed(asking)) {
    await scene.haveElsewhere();
    // Larder confirms the claims of a manifest at once, in the background.
    const end = scene.disagree(table);
    await scene.ask(scene.tagPath);
    await scene.settled();
    return end;
  }
  if (state === 'refused') await scene.refusing(() => scene.ask(path, { method }));
  if (state === 'told' || state === 'told, stale') await scene.ask(path, { method: 'HEAD' });
  if (isCached(asking)) await scene.ask(scene.tagPath);
  if (isCached(asking) && asking.what === 'blob') await scene.ask(path);
  if (state === 'known') await scene.ask(path);
  if (state === 'told, stale' || state === 'cached, stale' || state === 'known') scene.expire();
  return scene.disagree(table);
}

function isClaimed({ state }: Asking): boolean {
  return state === 'claimed' || state === 'claimed, open';
}

/** Makes the answers about the manifest right: Larder must get the manifest that claims the blob. */
function ofBlobsAlone(table: AnswerTable): AnswerTable {
  const right: AnswerTable = {
    token: 'right',
    'HEAD tag': 'right',
    'GET tag': 'right',
    'GET digest': 'right',
  };
  return { ...table, ...right };
}

function isCached({ state }: Asking): boolean {
  return state === 'cached' || state === 'cached, stale';
}

/** Expects that a cached tag's manifest is served by digest, without a request to upstream. */
async function expectCachedServed(scene: Scene, asking: Asking): Promise<void> {
  if (!isCached(asking)) return;
  const before = scene.requests.length;
  const answer = await scene.ask(scene.digestPath);
  const { 'cache-status': status } = answer.headers;
  expect([scene.told(scene.digestPath, answer, false), status]).toEqual(['asked', 'larder; hit']);
  expect(scene.requests).toHaveLength(before);
}
