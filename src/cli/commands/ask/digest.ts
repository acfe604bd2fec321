import { InvalidArgumentError, Option, type Command } from 'commander';
import { formatAsked, parseAsked } from '../../../asking/asked.ts';
import type { Askers } from '../../../asking/askers.ts';
import { AskError } from '../../../asking/error.ts';
import { findDigest } from '../../../asking/manifests/find-digest.ts';
import type { DigestAnswer } from '../../../asking/manifests/manifest-answer.ts';
import { digestAlgorithm, isDigest, type Digest, type DigestAlgorithm } from '../../../oci/digest.ts';
import type { Platform } from '../../../oci/platform.ts';
import { digestOfFile, digestOfStream, isFile } from '../../files/digest-of-file.ts';
import { requireNoPath } from '../../files/path-name.ts';
import { EXIT_FAILED } from '../../terminal/exit-codes.ts';
import { printJson } from '../../terminal/print-json.ts';
import { askCommand, withAskers, withMirror, type AskOptions } from './ask-command.ts';
import { askedPlatform } from './asked-platform.ts';

const EXAMPLES = `
Examples:
  larder digest alpine:3.20
  larder digest alpine:3.20 --platform linux/arm64
  larder digest ./layer.tar.gz --check sha256:...
  curl -sL https://registry.example/v2/acme/app/blobs/sha256:... | larder digest -
`;

interface DigestOptions extends AskOptions {
  readonly algorithm?: DigestAlgorithm;
  readonly check?: Digest;
  readonly platform?: Platform;
}

/** `larder digest`: the digest of an image now, or of a file. */
export function digestCommand(): Command {
  return withMirror(askCommand('digest'))
    .description('tell the digest that a reference stands for now, or compute that of a file')
    .argument('<reference>', 'such as alpine:3.20; or a file, such as ./layer.tar.gz; "-" is standard input')
    .addOption(
      new Option('--algorithm <name>', 'default: that of --check, else sha256').choices(['sha256', 'sha512']),
    )
    .option('--check <digest>', 'compare with this digest; exit code 1 if it is another', checkedDigest)
    .option('--platform <platform>', 'of an index, of the image for this platform', askedPlatform)
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: DigestOptions) => {
      await withAskers(options, async (askers) => {
        const answer = await digestOf(name, askers, options);
        if (options.json === true) printJson(answer);
        else console.log(answer.digest);
        compare(answer.digest, options.check);
      });
    });
}

function checkedDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new InvalidArgumentError('Expected sha256: and 64, or sha512: and 128 lower-case hex digits.');
}

async function digestOf(name: string, askers: Askers, options: DigestOptions): Promise<DigestAnswer> {
  const algorithm = algorithmOf(options);
  if (name === '-') return { file: name, digest: await digestOfStream(process.stdin, algorithm) };
  if (isFile(name)) return { file: name, digest: await digestOfFile(name, algorithm) };
  requireNoPath(name);
  const asked = parseAsked(name);
  const { platform } = options;
  const digest = await findDigest(askers.of(asked.registry), asked, { platform, algorithm });
  return { image: formatAsked(asked), digest };
}

function algorithmOf({ algorithm, check }: DigestOptions): DigestAlgorithm {
  const checked = check === undefined ? undefined : digestAlgorithm(check);
  if (algorithm !== undefined && checked !== undefined && algorithm !== checked) {
    throw new AskError(`--algorithm ${algorithm} cannot be compared with a digest by ${checked}`);
  }
  return algorithm ?? checked ?? 'sha256';
}

function compare(digest: string, expected: Digest | undefined): void {
  if (expected === undefined || digest === expected) return;
  console.error(`larder: expected ${expected}, and it is ${digest}`);
  process.exitCode = EXIT_FAILED;
}
