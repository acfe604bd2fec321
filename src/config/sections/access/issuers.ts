import { z } from 'zod';
import { audience } from '../../values/access/audience.ts';
import { claimName, claimPattern } from '../../values/access/claim-pattern.ts';
import type { ValueContext } from '../../values/context.ts';
import { filePath } from '../../values/path.ts';
import { issuerUrl, secureUrl } from '../../values/addresses/secure-url.ts';
import { sparseSection } from '../section.ts';

const issuer = (context: ValueContext) =>
  sparseSection({
    issuer: issuerUrl().describe("The issuer's identifier, exactly as its tokens have it in `iss`."),
    audience: audience().describe(
      'What tokens for Larder have in `aud`: a text, or a list of which a token has at least one.',
    ),
    claims: z
      .record(z.string(), claimPattern())
      .prefault({})
      .describe(
        'What the claims of a token must say, by the name of the claim; all of them must hold. `*` stands for any ' +
          'characters; of a claim that is a list, one element must fit. Required for issuers that give tokens to everyone: ' +
          'those of GitHub Actions, GitLab.com and Google.',
      ),
    groups: claimName()
      .optional()
      .describe(
        "The claim that names the groups of a token's subject. In rules they have the issuer's name before them: " +
          '`group:NAME:GROUP`.',
      ),
    serviceAccounts: z
      .boolean()
      .prefault(false)
      .describe(
        'Whether the issuer is a Kubernetes cluster, so that `sub` names a service account. Only then does ' +
          '`serviceaccount:NAMESPACE/NAME` mean its tokens.',
      ),
    jwksUrl: secureUrl()
      .optional()
      .describe("Where the issuer's keys are. Without it, the issuer's discovery document says it."),
    ca: filePath(context)
      .optional()
      .describe("A PEM file with the certificates of the authority of the issuer's host."),
    tokenFile: filePath(context)
      .optional()
      .describe(
        "A file with a bearer token that is sent when the issuer's keys are fetched, as Kubernetes' API server " +
          'wants it. It is read at each fetch.',
      ),
  }).describe('An issuer. Its name stands in rules and in the log.');

/** `access.oidc`: the issuers of OpenID Connect tokens, by the names that rules use. */
export const issuers = (context: ValueContext) =>
  z
    .record(z.string(), issuer(context))
    .prefault({})
    .describe(
      'The OpenID Connect issuers whose tokens are believed: CI jobs, Kubernetes service accounts, single sign-on.',
    );

/** An issuer of OpenID Connect tokens. Paths are absolute. */
export type IssuerConfig = z.output<ReturnType<typeof issuer>>;
