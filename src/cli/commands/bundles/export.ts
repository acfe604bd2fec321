import { InvalidArgumentError, type Command } from 'commander';
import type { ApiClient } from '../../../api/client/api-client.ts';
import { runJob } from '../../../api/client/run-job.ts';
import type { JobResult } from '../../../api/contract/job-kinds.ts';
import type { Inventory } from '../../../archive/layout/inventory.ts';
import { readKnown } from '../../../archive/reading/read-known.ts';
import type { BundleSource } from '../../../archive/save/bundle-source.ts';
import { requirePlaces } from '../../../archive/save/require-places.ts';
import { formOf, saveBundle, type SavedBundle } from '../../../archive/save/save-bundle.ts';
import { saveInventory } from '../../../archive/save/save-inventory.ts';
import { parseDigest, type Digest } from '../../../oci/digest.ts';
import { OperatorError } from '../../../operator/error.ts';
import { imagesOfFiles } from '../../files/images-of-files.ts';
import { onJob } from '../../terminal/job-line.ts';
import { printJson } from '../../terminal/print-json.ts';
import { printTenths } from '../../terminal/print-tenths.ts';
import { shortSize } from '../../terminal/short-size.ts';
import {
  operatorCommand,
  withOperator,
  type OperatorOptions,
  type Workplace,
} from '../cache/operator-command.ts';

interface ExportCommandOptions extends OperatorOptions {
  readonly output: string;
  readonly file?: readonly string[];
  readonly platform?: readonly string[];
  readonly referrers?: boolean;
  readonly since?: readonly string[];
  readonly inventory?: string;
}

const EXAMPLES = `
Examples:
  larder export debian:12 ghcr.io/acme/app:1 -o bundle.tar
  larder export debian:12 --platform linux/amd64 --platform linux/arm64 -o bundle.tar.zst
  larder export --file images.lock -o bundle.tar                            exactly what larder lock has written down
  larder export ghcr.io/acme/app:1 --referrers -o bundle/                   a directory, with signatures and SBOMs
  larder export debian:12 -o monday.tar --inventory there.json
  larder export debian:12 -o tuesday.tar --since there.json --inventory there.json   only what is new
  skopeo copy oci-archive:bundle.tar:docker.io/library/debian:12 docker-daemon:debian:12`;

/** `larder export`: writes images into a bundle. The same command again goes on where it was interrupted. */
export function exportCommand(): Command {
  return operatorCommand('export')
    .description('write images into a bundle, an OCI image layout, to carry them to another network')
    .argument('[reference...]', 'images; without a tag or digest, latest is meant')
    .requiredOption(
      '-o, --output <path>',
      'the bundle: a name in .tar or .tar.zst, or a directory with a slash',
      parseOutput,
    )
    .option('--file <file>', 'a list of images, or what images.lock holds (again for more)', append)
    .option('--platform <platform>', 'of images for several platforms only this one (again for more)', append)
    .option('--referrers', 'signatures, attestations and SBOMs as well')
    .option('--since <path>', 'leave out what this bundle or inventory has (again for more)', append)
    .option('--inventory <file>', 'write down what the other side has once it has imported the bundle')
    .addHelpText('after', EXAMPLES)
    .action(async (references: readonly string[], options: ExportCommandOptions) => {
      await withOperator(options, (workplace) => exportAll(workplace, references, options));
    });
}

function parseOutput(path: string): string {
  try {
    formOf(path);
    return path;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function append(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

async function exportAll(
  { client, isJson, isRemote, makeRoom }: Workplace,
  references: readonly string[],
  options: ExportCommandOptions,
): Promise<void> {
  const { output, referrers, since = [], inventory } = options;
  const wanted = await wantedOf(references, options);
  await requirePlaces(output, inventory);
  const known = await readKnown(since);
  makeRoom();
  const request = { ...wanted, referrers, known: toRequest(known) };
  const result = await runJob(client, 'export', request, onJob(isJson, isRemote));
  const print = isJson ? () => {} : printTenths('written');
  const saved = await saveBundle(sourceOf(client, result), output, (bytes) => print(bytes, result.bytes));
  if (inventory !== undefined) await saveInventory(inventory, saved.path, known);
  if (isJson) printJson({ ...result, ...saved });
  else for (const line of linesOf(result, saved)) console.log(line);
}

/** Puts together what is wanted. @throws OperatorError `invalid` */
async function wantedOf(
  references: readonly string[],
  { file, platform }: ExportCommandOptions,
): Promise<{ readonly references: string[]; readonly platforms?: string[] }> {
  const found = await imagesOfFiles([[file, undefined]]);
  const all = [...references, ...found.map(({ text }) => text)];
  if (all.length === 0)
    throw new OperatorError('invalid', 'no image is named: name an image, or a file with images');
  const choices = platform === undefined ? found.map(({ platforms }) => platforms) : [platform];
  if (platform === undefined && references.length > 0) choices.push(undefined);
  const [first, ...others] = [...new Set(choices.map((choice) => choice?.join(' ')))];
  if (others.length > 0) {
    const advice = 'say --platform, or export them one by one';
    throw new OperatorError('invalid', `the images are wanted for different platforms: ${advice}`);
  }
  return { references: all, ...(first !== undefined && { platforms: first.split(' ') }) };
}

function toRequest(known: Inventory): Record<string, Digest[]> {
  return Object.fromEntries([...known].map(([path, digests]) => [path, [...digests]]));
}

function sourceOf(client: ApiClient, { bundle, bytes: size }: JobResult<'export'>): BundleSource {
  const identity = parseDigest(bundle);
  return {
    identity,
    size,
    async *read(offset) {
      if (offset < size) yield* await client.bundle(identity, offset);
    },
  };
}

function linesOf({ images }: JobResult<'export'>, { path, checksums }: SavedBundle): readonly string[] {
  return [
    ...images.map(
      ({ reference, digest, parts, bytes }) =>
        `exported ${reference} ${digest} (${parts} parts, ${shortSize(bytes)})`,
    ),
    `${path}: ${images.length} ${images.length === 1 ? 'image' : 'images'}; its checksum is in ${checksums}`,
  ];
}
