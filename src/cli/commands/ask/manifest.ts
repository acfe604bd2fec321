import { Option, type Command } from 'commander';
import { formatAsked, parseAsked, type Asked } from '../../../asking/asked.ts';
import type { Asker } from '../../../asking/asker.ts';
import { findImage, findManifest, readConfig } from '../../../asking/manifests/find-manifest.ts';
import { descriptorAnswer, manifestContent } from '../../../asking/manifests/manifest-answer.ts';
import { hasProblem, readTree } from '../../../asking/manifests/tree.ts';
import type { Platform } from '../../../oci/platform.ts';
import { EXIT_FAILED } from '../../terminal/exit-codes.ts';
import { descriptorTable, manifestText, treeText } from '../../terminal/texts/manifest-text.ts';
import { writeBytes } from '../../terminal/output.ts';
import { printJson } from '../../terminal/print-json.ts';
import { askCommand, withAskers, withMirror, type AskOptions } from './ask-command.ts';
import { askedPlatform } from './asked-platform.ts';

const EXAMPLES = `
Examples:
  larder manifest alpine:3.20
  larder manifest alpine:3.20 --platform linux/arm64
  larder manifest alpine:3.20 --raw | sha256sum
  larder manifest alpine:3.20 --platform linux/amd64 --config
  larder manifest ghcr.io/acme/app:1 --tree
`;

interface ManifestOptions extends AskOptions {
  readonly platform?: Platform;
  readonly raw?: boolean;
  readonly config?: boolean;
  readonly layers?: boolean;
  readonly tree?: boolean;
}

/** `larder manifest`: what an image is made of. */
export function manifestCommand(): Command {
  return withMirror(askCommand('manifest'))
    .description('show the manifest of an image: its platforms, or its config and layers')
    .argument('<reference>', 'such as alpine:3.20 or ghcr.io/acme/app@sha256:...')
    .option('--platform <platform>', 'of an index, the image for this platform', askedPlatform)
    .addOption(view('raw', 'print the manifest, byte for byte'))
    .addOption(view('config', 'print the config of the image'))
    .addOption(view('layers', 'list the layers of the image'))
    .addOption(view('tree', 'show all that is below it, with attestations and referrers'))
    .addHelpText('after', EXAMPLES)
    .action(async (reference: string, options: ManifestOptions) => {
      await withAskers(options, async (askers) => {
        const asked = parseAsked(reference);
        await show(askers.of(asked.registry), asked, options);
      });
    });
}

const VIEWS = ['raw', 'config', 'layers', 'tree'];

function view(name: string, description: string): Option {
  return new Option(`--${name}`, description).conflicts(VIEWS.filter((other) => other !== name));
}

async function show(asker: Asker, asked: Asked, options: ManifestOptions): Promise<void> {
  if (options.tree === true) return showTree(asker, asked, options);
  if (options.config === true) {
    const image = await findImage(asker, asked, options.platform);
    return writeBytes(await readConfig(asker, asked, image));
  }
  if (options.layers === true) return showLayers(asker, asked, options);
  const manifest = await findManifest(asker, asked, options.platform);
  if (options.raw === true) return writeBytes(manifest.bytes);
  const image = formatAsked(asked);
  const content = manifestContent(manifest);
  if (options.json === true) printJson({ image, ...content });
  else console.log(manifestText(image, content));
}

async function showLayers(asker: Asker, asked: Asked, { platform, json }: ManifestOptions): Promise<void> {
  const { digest, content } = await findImage(asker, asked, platform);
  const layers = content.layers.map(descriptorAnswer);
  if (json === true) printJson({ image: formatAsked(asked), digest, layers });
  else console.log(descriptorTable(layers));
}

async function showTree(asker: Asker, asked: Asked, { platform, json }: ManifestOptions): Promise<void> {
  const image = formatAsked(asked);
  const root = await findManifest(asker, asked, platform);
  const tree = await readTree(asker, asked.repository, root);
  if (json === true) printJson({ image, tree });
  else console.log(treeText(image, tree));
  if (hasProblem(tree)) process.exitCode = EXIT_FAILED;
}
