import { stringify } from 'yaml';
import { z } from 'zod';
import { alternatives, formatKeyPath, type KeyPath } from './config-problem.ts';
import { configSchema } from './schema.ts';
import { KNOWN_REGISTRY_NAMES } from './sections/known-registries.ts';
import { bare, type Bare } from './source/schema-shape.ts';
import { PLAIN } from './values/context.ts';

const INTRODUCTION = `# Configuration

<!-- Generated from src/config/schema.ts and src/config/sections/; a test compares the two. -->

Larder reads one YAML file: the one that \`--config\` names, else the one that \`LARDER_CONFIG\` names, else
\`config.yaml\` in the current folder. \`larder check\` reads it, says what is wrong with it, and prints what is in
effect with secrets hidden. A key that Larder does not know is an error, and every key may be left out.

- **Durations**: \`90s\`, \`5m\`, \`12h\`, \`30d\`, \`1h30m\`; the units are \`d\`, \`h\`, \`m\`, \`s\` and \`ms\`.
- **Sizes**: \`512MiB\` and \`50GiB\` count in 1024s, \`50GB\` in 1000s, \`1024\` is bytes.
- **Paths** start at the folder of the configuration file, or at the home folder with \`~/\`.
- **Globs**: \`*\` is anything but \`/\`, \`**\` anything, \`{a,b}\` either. They match whole names.
- **Secrets**: inside \`credentials\` and \`proxyCredentials\`, and only there, \`\${NAME}\` is the environment variable
  \`NAME\`, which must be set; \`$\${\` is \`\${\` itself.
- **Environment**: \`LARDER_LISTEN\` and \`LARDER_CACHE_DIRECTORY\` (a relative one starts at the current folder) are
  used in place of \`listen\` and \`cache.directory\`. \`https_proxy\` (or \`HTTPS_PROXY\`), \`http_proxy\` (only like this) and
  \`no_proxy\` (or \`NO_PROXY\`) count for upstreams without \`proxy\`, read as curl reads them: \`no_proxy\` is a list of
  domains, each with what is below it, addresses, ranges such as \`10.0.0.0/8\`, or \`*\`; \`:PORT\` may be behind a name or an
  address. This machine itself is never asked through such a proxy.

Known registries, which need no \`url\`: ${KNOWN_REGISTRY_NAMES.map(code).join(', ')};
and those of each customer or region: \`*.gcr.io\`, \`*.pkg.dev\`, \`*.azurecr.io\`, and Amazon ECR's
\`<account>.dkr.ecr.<region>.amazonaws.com\`.
`;

/** Renders the reference of the configuration file in Markdown: every key with its kind, default and meaning. */
export function renderReference(): string {
  const keys = listKeys(configSchema(PLAIN), []);
  return [INTRODUCTION, ...keys.map(renderKey)].join('\n');
}

interface Key {
  readonly path: KeyPath;
  readonly schema: z.core.$ZodType;
}

function listKeys(schema: z.core.$ZodType, path: KeyPath): readonly Key[] {
  const shape = bare(schema);
  if (shape.kind === 'list') return listKeys(shape.item, [...path, 0]);
  if (shape.kind === 'map') {
    return Object.entries(shape.keys).flatMap(([key, inner]) => [
      { path: [...path, key], schema: inner },
      ...listKeys(inner, [...path, key]),
    ]);
  }
  if (shape.kind !== 'record' || bare(shape.value).kind !== 'map') return [];
  return [{ path: [...path, 'NAME'], schema: shape.value }, ...listKeys(shape.value, [...path, 'NAME'])];
}

function renderKey({ path, schema }: Key): string {
  const fallback = defaultOf(schema);
  const kind = kindOf(bare(schema));
  const facts = `${kind[0]?.toUpperCase()}${kind.slice(1)}.${fallback === undefined ? '' : ` Default: ${fallback}.`}`;
  return `${'#'.repeat(path.length > 1 ? 3 : 2)} ${code(formatKeyPath(path))}\n\n${facts}\n\n${describe(schema)}\n`;
}

function kindOf(shape: Bare): string {
  switch (shape.kind) {
    case 'list': {
      const item = bare(shape.item);
      return `list of ${kindOf(item)}${item.kind === 'choice' ? '' : 's'}`;
    }
    case 'choice':
      return alternatives(shape.words.map(code));
    case 'value':
      return shape.title;
    case 'record': {
      const value = bare(shape.value);
      return value.kind === 'map' ? 'map by name' : `map by name, each a ${kindOf(value)}`;
    }
    default:
      return 'map';
  }
}

function defaultOf(schema: z.core.$ZodType): string | undefined {
  if (!(schema instanceof z.ZodPrefault)) return undefined;
  const value: unknown = schema.def.defaultValue;
  if (typeof value === 'string') return code(value);
  const yaml = stringify(value, { collectionStyle: 'flow' }).trim();
  return yaml === '{}' ? undefined : code(yaml.replaceAll(/\[ ?| ?\]/g, (bracket) => bracket.trim()));
}

/** Returns the outermost description: wrappers come after the schema that they wrap. */
function describe(schema: z.core.$ZodType): string {
  const description = z.globalRegistry.get(schema)?.description;
  if (description !== undefined) return description;
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return describe(schema.def.innerType);
  throw new TypeError('a key without a description');
}

function code(text: string): string {
  return `\`${text}\``;
}
