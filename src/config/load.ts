import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { complete } from './complete.ts';
import { ConfigError, formatKeyPath, type ConfigProblem, type KeyPath } from './config-problem.ts';
import type { Config } from './config.ts';
import type { Refusal } from './refusal.ts';
import { configSchema, type ConfigFile } from './schema.ts';
import { checkAccess } from './sections/access/access-checks.ts';
import { checkHelpers } from './sections/credential-helper.ts';
import { checkForms } from './sections/credentials.ts';
import { checkProxies } from './sections/proxy-credentials.ts';
import { checkUpstreams } from './sections/upstream-checks.ts';
import { pathResolver, type ConfigSources } from './source/config-sources.ts';
import { describeIssues } from './source/describe-issue.ts';
import { interpolateCredentials } from './source/interpolate.ts';
import { readOverrides } from './source/overrides.ts';
import { readProxyEnvironment } from './source/proxy-environment.ts';
import { errorCode, readReferencedFiles, type ReferencedFiles } from './source/referenced-files.ts';
import { checkTls } from './source/tls-files.ts';
import { parseYaml, type YamlProblem, type YamlSource } from './source/yaml-source.ts';
import { PLAIN } from './values/context.ts';

/** Returns the real sources: this process's environment and folder, and the file system. */
export function systemSources(): ConfigSources {
  return {
    env: process.env,
    cwd: process.cwd(),
    home: process.env['HOME'] ?? homedir(),
    readText: (path) => readFileSync(path, 'utf8'),
    isProgram,
  };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Reads the configuration at `path`, some values of which the environment may replace.
 * @param refusalOf called if there are no mistakes
 * @throws ConfigError that names every mistake: file, line, key, and the expected value
 */
export function loadConfig(
  path: string,
  sources: ConfigSources,
  refusalOf: Refusal = () => undefined,
): Config {
  const resolvePath = pathResolver(path, sources);
  const { overrides, lines: ofOverrides } = readOverrides(sources);
  const { proxies, lines: ofProxies } = readProxyEnvironment(sources.env);
  const lines = [...ofOverrides, ...ofProxies];
  const source = parseYaml(readConfigText(path, sources));
  const { file, certificates, problems } = readFile(source, sources, resolvePath);
  if (file === undefined || problems.length > 0 || lines.length > 0) {
    throw new ConfigError([...formatProblems(path, problems), ...lines]);
  }
  const config = complete(file, { overrides, certificates, proxies });
  const refusal = refusalOf(config, { overrides, readText: sources.readText });
  if (refusal === undefined) return config;
  throw new ConfigError(formatProblems(path, [positioned(refusal, source)]));
}

/**
 * Returns the lines of the values in a file without mistakes, from 1.
 * @throws ConfigError if it cannot be read
 */
export function linesOf(path: string, sources: ConfigSources): (keys: KeyPath) => number {
  const source = parseYaml(readConfigText(path, sources));
  return (keys) => source.positionOf(keys).line;
}

function readConfigText(path: string, { cwd, readText }: ConfigSources): string {
  try {
    return readText(resolve(cwd, path));
  } catch (error) {
    const line = `${path}: expected a configuration file, got an error (${errorCode(error)}); --config or LARDER_CONFIG name another`;
    throw new ConfigError([line], { cause: error });
  }
}

interface ReadFile {
  /** Undefined if there are problems. */
  readonly file: ConfigFile | undefined;
  readonly certificates: ReferencedFiles['certificates'];
  readonly problems: readonly YamlProblem[];
}

function readFile(
  source: YamlSource,
  sources: ConfigSources,
  resolvePath: (path: string) => string,
): ReadFile {
  if (source.value === undefined)
    return { file: undefined, certificates: new Map(), problems: source.problems };
  const { file: written, problems: missing } = interpolateCredentials(source.value, sources.env);
  const schema = configSchema({ ...PLAIN, resolvePath });
  const parsed = z.safeDecode(schema, written);
  const referenced = readReferencedFiles(written, resolvePath, sources.readText);
  const helpers = checkHelpers(written, resolvePath, sources);
  const problems = oneForEachKey([
    ...missing,
    ...describeIssues(parsed.error?.issues ?? [], schema, written),
    ...checkUpstreams(written, schema),
    ...checkAccess(written, schema),
    ...checkForms(written),
    ...checkProxies(written),
    ...referenced.problems,
    ...checkTls(written, (path) => sources.readText(resolvePath(path))),
    ...helpers,
  ]).map((problem) => positioned(problem, source));
  return {
    file: parsed.data,
    certificates: referenced.certificates,
    problems: [...source.problems, ...problems],
  };
}

function positioned(problem: ConfigProblem, source: YamlSource): YamlProblem {
  return { ...problem, position: source.positionOf(problem.path) };
}

/** Keeps the first problem of each key: a second one only repeats it. */
function oneForEachKey(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const byKey = new Map<string, ConfigProblem>();
  for (const problem of problems) {
    const key = formatKeyPath(problem.path);
    if (!byKey.has(key)) byKey.set(key, problem);
  }
  return [...byKey.values()];
}

function formatProblems(path: string, problems: readonly YamlProblem[]): readonly string[] {
  return problems
    .toSorted((a, b) => a.position.line - b.position.line || a.position.column - b.position.column)
    .map((problem) => {
      const key = problem.path.length === 0 ? '' : `${formatKeyPath(problem.path)}: `;
      return `${path}:${problem.position.line}: ${key}${problem.message}`;
    });
}
