import { z } from 'zod';
import { actions, actionsForAll } from '../../values/access/action.ts';
import type { ValueContext } from '../../values/context.ts';
import { list } from '../../values/list.ts';
import { filePath } from '../../values/path.ts';
import { ruleGlob } from '../../values/access/rule-glob.ts';
import { who } from '../../values/access/who.ts';
import { issuers } from './issuers.ts';
import { sparseSection } from '../section.ts';

const rule = () =>
  z.strictObject({
    repositories: list(ruleGlob()).describe(
      'Globs of `registry/repository`. The registry is the name of an upstream, `*` or `**`; `library/` belongs to the ' +
        'names of Docker Hub. `**` also means what concerns no repository: the metrics and the API.',
    ),
    who: list(who()).describe(
      'The clients: `anonymous` (every client), `authenticated` (every client with valid credentials), `user:NAME`, ' +
        '`group:NAME`, `token:NAME`, `oidc:ISSUER:SUBJECT`, `serviceaccount:NAMESPACE/NAME`. `*` stands for any characters.',
    ),
    allow: actions().describe(
      'What they may. Everything else is denied to them there; an empty list denies all.',
    ),
  });

/** `access`: which clients may do what. */
export const access = (context: ValueContext) =>
  sparseSection({
    anonymous: actionsForAll()
      .optional()
      .describe(
        'What every client may where no rule says otherwise: `pull` (pull, and list tags), or a list of pull, tags and ' +
          'metrics. It is as a last rule for `**`.',
      ),
    users: filePath(context)
      .optional()
      .describe(
        'An htpasswd file with the users; bcrypt only, as `larder passwd` writes it. It is read again when it changes.',
      ),
    groups: z
      .record(z.string(), list(who()))
      .prefault({})
      .describe('Lists of clients that rules name by `group:NAME`. A member is no group itself.'),
    oidc: issuers(context),
    rules: z
      .array(rule())
      .readonly()
      .prefault([])
      .describe(
        'Which clients may do what. The first rule that means both the repository and the client decides; where none ' +
          'does, all is denied.',
      ),
  })
    .optional()
    .describe(
      'Which clients may pull. Without it every client may pull everything. Required if Larder listens beyond this ' +
        'machine and has credentials for an upstream.',
    );
