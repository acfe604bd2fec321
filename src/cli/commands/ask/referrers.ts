import type { Command } from 'commander';
import { formatAsked, parseAsked } from '../../../asking/asked.ts';
import { referenceOf } from '../../../oci/image-reference.ts';
import { findManifest } from '../../../asking/manifests/find-manifest.ts';
import { descriptorAnswer } from '../../../asking/manifests/manifest-answer.ts';
import type { Platform } from '../../../oci/platform.ts';
import { descriptorTable } from '../../terminal/texts/manifest-text.ts';
import { printJson } from '../../terminal/print-json.ts';
import { askCommand, withAskers, withMirror, type AskOptions } from './ask-command.ts';
import { askedPlatform } from './asked-platform.ts';

const EXAMPLES = `
Examples:
  larder referrers ghcr.io/acme/app:1
  larder referrers ghcr.io/acme/app:1 --platform linux/amd64
  larder referrers ghcr.io/acme/app:1 --type application/spdx+json --json
`;

interface ReferrersOptions extends AskOptions {
  readonly type?: string;
  readonly platform?: Platform;
}

/** `larder referrers`: what was attached to an image. */
export function referrersCommand(): Command {
  return withMirror(askCommand('referrers'))
    .description('list what was attached to an image, such as signatures and SBOMs')
    .argument('<reference>', 'such as ghcr.io/acme/app:1')
    .option('--type <type>', 'only those of this artifact type')
    .option('--platform <platform>', 'of an index, to the image for this platform', askedPlatform)
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string, options: ReferrersOptions) => {
      await withAskers(options, async (askers) => {
        const asked = parseAsked(reference);
        const asker = askers.of(asked.registry);
        const { digest } =
          options.platform === undefined
            ? await asker.resolve(asked.repository, referenceOf(asked))
            : await findManifest(asker, asked, options.platform);
        const found = await asker.referrers(asked.repository, digest, { artifactType: options.type });
        const referrers = found.map(descriptorAnswer);
        if (options.json === true) printJson({ image: formatAsked(asked), digest, referrers });
        else if (referrers.length > 0) console.log(descriptorTable(referrers));
      });
    });
}
