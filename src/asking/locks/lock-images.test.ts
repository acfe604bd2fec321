import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { parseImageReference } from '../../oci/image-reference.ts';
import { UpstreamError } from '../../upstream/error.ts';
import type { Askers } from '../askers.ts';
import { lockImages } from './lock-images.ts';

/** Registries that have no repository below `gone/`. @param turnsOf turns after which they answer, by their names */
function askers(turnsOf: Readonly<Record<string, number>>): Askers {
  const of: Askers['of'] = ({ name }) => {
    const resolve = async (repository: string): Promise<{ digest: string }> => {
      for (let turn = 0; turn < (turnsOf[name] ?? 0); turn += 1) await setImmediate();
      if (repository.startsWith('gone/')) throw new UpstreamError(name, 'absent', 'not-found', `no ${name}`);
      return { digest: digestOf(`${name}/${repository}`) };
    };
    return { resolve } as unknown as ReturnType<Askers['of']>;
  };
  return { of } as unknown as Askers;
}

test('what cannot be locked is named in the order of the list, whichever registry answers first', async () => {
  const names = ['slow.test/gone/a:1', 'fast.test/acme/app:1', 'fast.test/gone/b:1'];
  const images = names.map((name) => ({ image: parseImageReference(name) }));
  const { locked, failed } = await lockImages(images, askers({ 'slow.test': 5, 'fast.test': 0 }));
  expect(failed.map(({ ref }) => ref)).toEqual([names[0], names[2]]);
  expect(locked.map(({ image }) => image.digest)).toEqual([digestOf('fast.test/acme/app')]);
});
