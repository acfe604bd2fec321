import { InvalidArgumentError, type Command } from 'commander';
import { runJob } from '../../../api/client/run-job.ts';
import { uploadBundle } from '../../../api/client/upload-bundle.ts';
import type { ImportRequest } from '../../../archive/import/import-options.ts';
import type { JobProgress } from '../../../index/job-index.ts';
import { openBundle } from '../../../archive/reading/open-bundle.ts';
import { uploadSource } from '../../../archive/upload/upload-source.ts';
import { RegistryError } from '../../../oci/error.ts';
import { parseImageReference } from '../../../oci/image-reference.ts';
import { OperatorError } from '../../../operator/error.ts';
import { EXIT_FAILED } from '../../terminal/exit-codes.ts';
import { printJson } from '../../terminal/print-json.ts';
import { onJob } from '../../terminal/job-line.ts';
import { importLines, type ShownImport } from '../../terminal/texts/import-lines.ts';
import { shortSize } from '../../terminal/short-size.ts';
import {
  operatorCommand,
  withOperator,
  type OperatorOptions,
  type Workplace,
} from '../cache/operator-command.ts';

interface ImportCommandOptions extends OperatorOptions {
  readonly as?: string;
  readonly partial?: boolean;
  readonly pin?: boolean;
}

const EXAMPLES = `
Examples:
  larder import bundle.tar                                 a bundle of larder export, its names as they are
  larder import --pin bundle.tar.zst more/                 two, one of them a directory; nothing of them is evicted
  larder import --as docker.io/library/debian debian.tar   images that have only tags, such as skopeo's
  docker save app:1 > app.tar && larder import app.tar     without the registry's digests: its layers are unpacked`;

/** `larder import`: takes bundles of images into the cache. Exit code 1 if an image of them is not whole. */
export function importCommand(): Command {
  return operatorCommand('import')
    .description('take images from bundles into the cache: every byte is verified before it is served')
    .argument('<bundle...>', 'tar archives (gzip and zstd, too) or directories of images')
    .option(
      '--as <name>',
      'the repository of images that have no full name, or repository:tag of the only image',
      parseName,
    )
    .option('--partial', 'import an index without the platforms that the bundle leaves out')
    .option('--pin', 'keep what is imported from eviction')
    .addHelpText('after', EXAMPLES)
    .action(async (bundles: readonly string[], { as, partial, pin, ...options }: ImportCommandOptions) => {
      await withOperator(options, (workplace) =>
        importAll(workplace, bundles, { as, isPartial: partial, isPinned: pin }),
      );
    });
}

/** A name that is none is refused before a large bundle is uploaded. */
function parseName(text: string): string {
  try {
    parseImageReference(text);
    return text;
  } catch (error) {
    if (error instanceof RegistryError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}

async function importAll(
  workplace: Workplace,
  bundles: readonly string[],
  request: ImportRequest,
): Promise<void> {
  const results: object[] = [];
  for (const path of bundles) {
    const result = await importOne(workplace, path, request);
    if (result.refused.length > 0) process.exitCode = EXIT_FAILED;
    results.push({ bundle: path, ...result });
    if (!workplace.isJson) for (const line of importLines(path, result)) console.log(line);
  }
  if (workplace.isJson) printJson(results);
}

async function importOne(
  { client, importHere, isJson, isRemote }: Workplace,
  path: string,
  request: ImportRequest,
): Promise<ShownImport> {
  const report = isJson ? () => {} : printSteps();
  if (importHere !== undefined) {
    const bundle = await readable(openBundle(path));
    return importHere(bundle, request, { signal: new AbortController().signal, report });
  }
  const source = await readable(uploadSource(path));
  const { size: total } = source;
  const upload = await uploadBundle(client, source, (done) => report({ done, total, unit: 'bytes' }));
  return runJob(client, 'import', { ...request, upload }, onJob(isJson, isRemote));
}

async function readable<T>(opening: Promise<T>): Promise<T> {
  return opening.catch((error: Error) => {
    throw new OperatorError('failed', `cannot read the bundle: ${error.message}`, { cause: error });
  });
}

/** Returns a function that prints each further tenth of the way. */
function printSteps(): (progress: JobProgress) => void {
  let tenth = 0;
  return ({ done, total = 0 }) => {
    const now = Math.floor((10 * done) / Math.max(1, total));
    if (now <= tenth) return;
    tenth = now;
    console.error(`read ${shortSize(done)} of ${shortSize(total)}`);
  };
}
