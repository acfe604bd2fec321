import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goTool } from './go-tool.ts';
import { attempt } from './process.ts';
import { temporaryDirectory } from './temporary.ts';

const TOOL = goTool(
  'conformance',
  'github.com/opencontainers/distribution-spec/conformance',
  'v0.0.0-20260831232431-97274622c111',
);

export interface ConformanceResult {
  /** The output of the tool. */
  readonly output: string;
  /** The cases of its report, of which many have the same name; empty if it wrote none. */
  readonly cases: readonly ConformanceCase[];
}

interface ConformanceCase {
  readonly name: string;
  readonly status: CaseStatus;
}

type CaseStatus = 'passed' | 'skipped' | 'failure' | 'error';

/**
 * Installs the distribution specification's own conformance tool.
 * @returns why the tool is not available here; undefined if it is
 */
export async function conformanceUnable(): Promise<string | undefined> {
  return TOOL.install();
}

/**
 * Runs the tool to its end against the registry at `host`. Its reports are removed with their temporary directory.
 * @param settings its environment variables, without the registry's address
 */
export async function conformance(
  host: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<ConformanceResult> {
  await using directory = await temporaryDirectory('conformance');
  const env = { OCI_REGISTRY: host, OCI_TLS: 'disabled', OCI_RESULTS_DIR: directory.path, ...settings };
  const exit = await attempt(TOOL.path, [], { env, cwd: directory.path });
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
