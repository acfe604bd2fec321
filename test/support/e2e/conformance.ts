import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt, run } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

/** Pinned: a case that a later version adds is to be looked at before it can fail here. */
const VERSION = 'v0.0.0-20260831232431-97274622c111';
const MODULE = `github.com/opencontainers/distribution-spec/conformance@${VERSION}`;
const DIRECTORY = join(import.meta.dirname, '../../../node_modules/.cache/conformance', VERSION);
const INSTALL_SECONDS = '240';

export interface ConformanceResult {
  /** What the tool printed. */
  readonly output: string;
  /** The cases of its report, many of one name among them; empty where it wrote none. */
  readonly cases: readonly ConformanceCase[];
}

interface ConformanceCase {
  readonly name: string;
  readonly status: CaseStatus;
}

type CaseStatus = 'passed' | 'skipped' | 'failure' | 'error';

/**
 * Installs the distribution specification's own conformance tool.
 * @returns why it cannot be had here; undefined where it can.
 */
export async function conformanceUnable(): Promise<string | undefined> {
  try {
    // Without the toolchain setting, a Go that is too old would fetch another one.
    const env = { GOBIN: DIRECTORY, GOTOOLCHAIN: 'local' };
    await run('timeout', [INSTALL_SECONDS, 'go', 'install', MODULE], { env });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Runs the tool to its end against the registry at `host`; its reports go with their temporary directory.
 * @param settings its environment variables but the registry's address.
 */
export async function conformance(
  host: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<ConformanceResult> {
  await using directory = await temporaryDirectory('conformance');
  const env = { OCI_REGISTRY: host, OCI_TLS: 'disabled', OCI_RESULTS_DIR: directory.path, ...settings };
  const exit = await attempt(join(DIRECTORY, 'conformance'), [], { env, cwd: directory.path });
  const report = await readFile(join(directory.path, 'junit.xml'), 'utf8').catch(() => '');
  return { output: `${exit.stdout}${exit.stderr}`, cases: casesOf(report) };
}

function casesOf(report: string): readonly ConformanceCase[] {
  const attributes = /<testcase name="([^"]*)"[^>]* status="([^"]*)"/g;
  return Array.from(report.matchAll(attributes), ([, name = '', status]) => ({
    name,
    status: status as CaseStatus,
  }));
}
