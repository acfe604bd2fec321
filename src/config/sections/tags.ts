import { z } from 'zod';
import { overriding, section, type SectionValue } from './section.ts';
import { duration, wait } from '../values/duration.ts';
import { glob } from '../values/glob.ts';
import { list } from '../values/list.ts';
import { count } from '../values/whole-number.ts';

const keys = () => ({
  ttl: duration()
    .prefault('5m')
    .describe('How long a tag is served without asking upstream whether it has moved.'),
  staleFor: duration()
    .prefault('30d')
    .describe('How long past `ttl` a tag may be served while upstream fails. `0s`: not at all.'),
  deadline: wait(0)
    .prefault('2s')
    .describe(
      'How long a client waits for a revalidation. After that it gets the known tag, and the check goes on in the background.',
    ),
  immutable: list(glob())
    .prefault([])
    .describe('Tags that are never revalidated once cached, such as `v*.*.*`. `**` means every tag.'),
  onDeleted: z
    .enum(['drop', 'keep'])
    .prefault('drop')
    .describe('What happens to a cached tag when upstream says that it is gone.'),
  quotaReserve: count(0)
    .prefault(10)
    .describe(
      'How many of the pulls that upstream allows (Docker Hub tells them in `ratelimit-remaining`) Larder keeps for images that are not cached ' +
        'at all. When no more are left, a tag that has moved is served as it was.',
    ),
});

/** When Larder asks upstream whether a tag has moved. */
export type TagPolicyConfig = SectionValue<ReturnType<typeof keys>>;

/** `tags`: the rules for upstreams that set none of their own. */
export const tags = () =>
  section(keys())
    .prefault({})
    .describe('When upstream is asked whether a tag has moved. An upstream may say otherwise.');

/** An upstream's own `tags`. */
export const ownTags = () =>
  section(overriding(keys())).prefault({}).describe('Overrides single keys of the general `tags`.');
