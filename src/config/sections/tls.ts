import { z } from 'zod';
import type { ValueContext } from '../values/context.ts';
import { filePath } from '../values/path.ts';

/** `tls`: the certificate that Larder shows. It is no `section`, since a `tls` without its keys is a mistake. */
export const tls = (context: ValueContext) =>
  z
    .strictObject({
      cert: filePath(context).describe(
        'A PEM file with the certificate and, below it, the intermediate certificates.',
      ),
      key: filePath(context).describe("A PEM file with the certificate's private key, without a passphrase."),
      clientCa: filePath(context)
        .optional()
        .describe(
          'A PEM file with authorities. Larder then serves only clients that have a certificate of one of them.',
        ),
    })
    .optional()
    .describe(
      'Larder speaks https, by TLS 1.2 or 1.3, and no http (docs/tls.md). Files that change are read again within ' +
        'seconds; while they cannot be used, or certificate and key do not belong together, what they said before counts.',
    );
