import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { unlessMissing } from '../../../access/missing-file.ts';
import { createToken, revokeTokens } from '../../../access/tokens/change-tokens.ts';
import { tokensPath } from '../../../access/tokens/open-tokens.ts';
import { isTokenName, type StaticToken } from '../../../access/tokens/static-token.ts';
import { parseTokens } from '../../../access/tokens/token-list.ts';
import { asksForCredentials } from '../../../app/access/access-rules.ts';
import { systemClock } from '../../../clock.ts';
import type { Config } from '../../../config/config.ts';
import { parseDuration } from '../../../config/values/duration.ts';
import { ValueError } from '../../../config/values/value-error.ts';
import { escapeControls } from '../../../text/controls.ts';
import { EXIT_FAILED, EXIT_USAGE } from '../../terminal/exit-codes.ts';
import { readConfig } from '../../terminal/read-config.ts';
import { printJson } from '../../terminal/print-json.ts';
import { formatTable, formatTime, isoTime } from '../../terminal/table.ts';

interface TokenOptions {
  readonly config?: string;
  readonly expires?: string;
  readonly json?: boolean;
}

/** `larder token`: the static tokens. A running server takes each change within a second. */
export function tokenCommand(): Command {
  return new Command('token')
    .description('manage the static tokens, by which programs log in')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand());
}

function createCommand(): Command {
  return subcommand('create')
    .description('make a token, and print it: it is shown only here')
    .argument('<name>', 'the name by which rules mean it: token:NAME')
    .option('--expires <duration>', 'how long it is valid, such as 90d (default: until it is revoked)')
    .addHelpText('after', '\nExamples:\n  larder token create ci --expires 90d\n')
    .action(create);
}

function listCommand(): Command {
  return subcommand('list')
    .description('list the tokens, without their secrets')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  larder token list --json\n')
    .action(list);
}

function revokeCommand(): Command {
  return subcommand('revoke')
    .description('make a token useless: the one of an id, or all of a name')
    .argument('<name|id>', 'as list shows it')
    .addHelpText('after', '\nExamples:\n  larder token revoke ci\n')
    .action(revoke);
}

function subcommand(name: string): Command {
  return new Command(name).option(
    '--config <file>',
    'the configuration file (default: LARDER_CONFIG, else config.yaml)',
  );
}

async function create(name: string, { config: option, expires }: TokenOptions): Promise<void> {
  if (!isTokenName(name)) {
    return fail('a name has up to 64 letters, digits, dots, hyphens and underscores', EXIT_USAGE);
  }
  const expiresInMs = expires === undefined ? undefined : readExpiry(expires);
  if (Number.isNaN(expiresInMs)) return fail('--expires: expected a duration such as 12h or 90d', EXIT_USAGE);
  const config = configOf(option);
  if (config === undefined) return;
  const { text } = await createToken(
    tokensPath(config.cache.directory),
    { name, expiresInMs },
    { clock: systemClock, pause, random: randomBytes },
  );
  if (!asksForCredentials(config)) console.error(USELESS);
  console.log(text);
}

const USELESS =
  'larder: warning: no rule asks for a login, so Larder reads no credentials and this token changes nothing (docs/access.md)';

/** @returns NaN if it is no duration, none at all, or longer than a date can tell */
function readExpiry(text: string): number {
  try {
    const ms = parseDuration(text);
    return ms > 0 && ms <= MAX_EXPIRY_MS ? ms : Number.NaN;
  } catch (error) {
    if (error instanceof ValueError) return Number.NaN;
    throw error;
  }
}

/** A thousand years. */
const MAX_EXPIRY_MS = 365_000 * 86_400_000;

async function list({ config, json = false }: TokenOptions): Promise<void> {
  const path = pathOf(config);
  if (path === undefined) return;
  const text = await unlessMissing(readFile(path, 'utf8'));
  const tokens = text === undefined ? [] : [...parseTokens(path, text).values()];
  if (json) printJson(tokens.map(toJson));
  else console.log(formatTable(['NAME', 'ID', 'CREATED', 'EXPIRES'], tokens.map(toRow)));
}

function toJson({ name, id, createdAt, expiresAt }: StaticToken): object {
  return { name, id, created: isoTime(createdAt), expires: isoTime(expiresAt) };
}

function toRow({ name, id, createdAt, expiresAt }: StaticToken): string[] {
  const isExpired = expiresAt !== undefined && expiresAt <= systemClock.now();
  return [
    name,
    id,
    formatTime(isoTime(createdAt)),
    `${formatTime(isoTime(expiresAt))}${isExpired ? ' (expired)' : ''}`,
  ];
}

async function revoke(nameOrId: string, { config }: TokenOptions): Promise<void> {
  const path = pathOf(config);
  if (path === undefined) return;
  const revoked = await revokeTokens(path, nameOrId, pause);
  for (const { name, id } of revoked) console.log(`revoked ${name} (${id})`);
  if (revoked.length === 0) fail(`there is no token ${escapeControls(nameOrId)}`, EXIT_FAILED);
}

/** @returns undefined if the configuration cannot be used, which has been told */
function pathOf(option: string | undefined): string | undefined {
  const config = configOf(option);
  return config && tokensPath(config.cache.directory);
}

/** @returns undefined if the configuration cannot be used, which has been told */
function configOf(option: string | undefined): Config | undefined {
  const config = readConfig(option);
  if (config === undefined) process.exitCode = EXIT_USAGE;
  return config;
}

function fail(message: string, exitCode: number): void {
  console.error(`larder: ${message}`);
  process.exitCode = exitCode;
}
