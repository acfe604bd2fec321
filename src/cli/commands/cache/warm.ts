import type { Command } from 'commander';
import { runJob } from '../../../api/client/run-job.ts';
import type { JobResult } from '../../../api/contract/job-kinds.ts';
import { OperatorError } from '../../../operator/error.ts';
import type { FoundImage } from '../../../references/found.ts';
import { imagesOfFiles } from '../../files/images-of-files.ts';
import { EXIT_FAILED } from '../../terminal/exit-codes.ts';
import { onJob } from '../../terminal/job-line.ts';
import { printJson } from '../../terminal/print-json.ts';
import { shortSize } from '../../terminal/short-size.ts';
import { operatorCommand, withOperator, type OperatorOptions, type Workplace } from './operator-command.ts';

interface WarmCommandOptions extends OperatorOptions {
  readonly file?: readonly string[];
  readonly fromKubernetes?: readonly string[];
  readonly fromCompose?: readonly string[];
  readonly fromDockerfile?: readonly string[];
  readonly platform?: readonly string[];
  readonly referrers?: boolean;
}

/** Images for the same platforms. */
interface Batch {
  /** Absent: all. */
  readonly platforms: string[] | undefined;
  readonly references: string[];
}

const EXAMPLES = `
Examples:
  larder warm debian:12 ghcr.io/acme/app:1
  larder warm --platform linux/amd64 --platform linux/arm64 debian:12
  larder warm --file list.txt                    one image a line
  larder warm --file images.lock                 exactly what larder lock has written down
  larder warm --from-kubernetes manifests/       every image of the manifests in a folder
  helm template chart | larder warm --from-kubernetes -`;

/** `larder warm`: pulls images into the cache, whole. Exit code 1 if one is not whole then. */
export function warmCommand(): Command {
  return operatorCommand('warm')
    .description('pull images into the cache, whole, before a client asks; what is there is not pulled again')
    .argument('[reference...]', 'images; without a tag or digest, latest is meant')
    .option('--file <file>', 'a list of images, or what images.lock holds (again for more)', append)
    .option(
      '--from-kubernetes <path>',
      'the images of manifests: a file, a folder, or - (again for more)',
      append,
    )
    .option('--from-compose <file>', 'the images of a compose file (again for more)', append)
    .option('--from-dockerfile <file>', 'the images that a Dockerfile begins with (again for more)', append)
    .option('--platform <platform>', 'of images for several platforms only this one (again for more)', append)
    .option('--referrers', 'signatures, attestations and SBOMs as well')
    .addHelpText('after', EXAMPLES)
    .action(async (references: readonly string[], options: WarmCommandOptions) => {
      await withOperator(options, async (workplace) => {
        const batches = await batchesOf(references, options);
        await warm(workplace, batches, options.referrers ?? false);
      });
    });
}

function append(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

async function warm(
  { client, isJson, isRemote, makeRoom }: Workplace,
  batches: readonly Batch[],
  referrers: boolean,
): Promise<void> {
  makeRoom();
  const images: JobResult<'warm'>['images'] = [];
  for (const batch of batches) {
    const result = await runJob(client, 'warm', { ...batch, referrers }, onJob(isJson, isRemote));
    images.push(...result.images);
    if (!isJson) for (const image of result.images) console.log(describe(image));
  }
  const failed = images.filter(({ failures }) => failures.length > 0).length;
  if (failed > 0) process.exitCode = EXIT_FAILED;
  if (isJson) printJson({ images, failed });
  else if (failed > 0) console.error(`larder: ${failed} of ${images.length} images are not whole, see above`);
}

/** Reads what is wanted, and puts together what is wanted for the same platforms. @throws OperatorError `invalid` */
async function batchesOf(
  references: readonly string[],
  options: WarmCommandOptions,
): Promise<readonly Batch[]> {
  const batches = new Map<string, Batch>();
  const add = (reference: string, platforms: readonly string[] | undefined): void => {
    const key = JSON.stringify(platforms);
    const batch = batches.get(key) ?? { platforms: platforms && [...platforms], references: [] };
    batch.references.push(reference);
    batches.set(key, batch);
  };
  for (const reference of references) add(reference, options.platform);
  for (const { text, platforms } of await readFiles(options)) add(text, options.platform ?? platforms);
  if (batches.size === 0)
    throw new OperatorError('invalid', 'no image is named: name an image, or a file with images');
  return [...batches.values()];
}

function readFiles(options: WarmCommandOptions): Promise<readonly FoundImage[]> {
  return imagesOfFiles([
    [options.file, undefined],
    [options.fromKubernetes, 'kubernetes'],
    [options.fromCompose, 'compose'],
    [options.fromDockerfile, 'dockerfile'],
  ]);
}

function describe({
  reference,
  digest,
  parts,
  bytes,
  failures,
}: JobResult<'warm'>['images'][number]): string {
  if (failures.length === 0)
    return `warm      ${reference} ${digest ?? ''} (${parts} parts, ${shortSize(bytes)})`;
  const reasons = failures.map(
    (failure) => `  ${failure.digest === undefined ? '' : `${failure.digest}: `}${failure.reason}`,
  );
  return [`not whole ${reference}`, ...reasons].join('\n');
}
