import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { markdownTable, withWrittenPart } from '../../test/support/written-part.ts';
import { EVENTS } from './contract/events.ts';
import { JOB_KINDS } from './contract/job-kinds.ts';
import { PROBLEMS, problem, type ProblemName } from './contract/problem.ts';
import { BASE, ROUTES } from './contract/routes.ts';
import { openApiDocument } from './openapi.ts';

const PAGE = new URL('../../docs/api.md', import.meta.url);
const BEGIN = '<!-- reference: written by src/api/reference.test.ts -->';
const END = '<!-- end of the reference -->';

type Schema = Readonly<Record<string, unknown>>;

const DOCUMENT = openApiDocument('0');
const SCHEMAS = (DOCUMENT['components'] as { schemas: Record<string, Schema> }).schemas;

/** Returns the type of a schema in a word or two. */
function typeOf(schema: Schema): string {
  const { type, $ref, anyOf, oneOf, enum: values, items, const: constant } = schema;
  if (typeof $ref === 'string') return $ref.slice($ref.lastIndexOf('/') + 1);
  const alternatives = (anyOf ?? oneOf) as readonly Schema[] | undefined;
  if (alternatives !== undefined) return [...new Set(alternatives.map(typeOf))].join(' or ');
  if (values !== undefined) return (values as readonly string[]).map((value) => `\`${value}\``).join(' or ');
  if (typeof constant === 'string') return `\`${constant}\``;
  if (type === 'array') return `list of ${typeOf(items as Schema)}`;
  return typeof type === 'string' ? type : 'any';
}

interface Field {
  readonly path: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

/** Returns the fields of an object and of the objects in it, as paths. */
function fieldsOf(schema: Schema, before = '', isInput = false): readonly Field[] {
  const alternatives = (schema['anyOf'] ?? schema['oneOf']) as readonly Schema[] | undefined;
  if (alternatives !== undefined) return alternatives.flatMap((each) => fieldsOf(each, before, isInput));
  if (schema['type'] === 'array') return fieldsOf(schema['items'] as Schema, `${before}[]`, isInput);
  const required = (schema['required'] ?? []) as readonly string[];
  return Object.entries((schema['properties'] ?? {}) as Record<string, Schema>).flatMap(([name, of]) => {
    const path = before === '' ? name : `${before}.${name}`;
    return [{ path, schema: of, isRequired: required.includes(name) }, ...fieldsOf(of, path, isInput)];
  });
}

function fieldTable(schema: Schema): string {
  const seen = new Map(fieldsOf(schema).map((field) => [field.path, field]));
  const rows = [...seen.values()].map(({ path, schema: of, isRequired }) => [
    `\`${path}\``,
    typeOf(of),
    isRequired ? '' : 'may be absent',
    typeof of['description'] === 'string' ? of['description'] : '',
  ]);
  return markdownTable(['field', 'type', '', 'is'], rows);
}

function render(): string {
  const routes = Object.entries(ROUTES).map(([name, { method, path, needs, summary }]) => [
    `\`${method} ${BASE}${path}\``,
    `\`${needs}\``,
    summary,
    name,
  ]);
  const problems = (Object.keys(PROBLEMS) as ProblemName[]).map((name) => {
    const { type, status, title } = problem(name, '');
    return [`\`${type}\``, String(status), title];
  });
  const kinds = Object.entries(JOB_KINDS).map(([kind, { summary }]) => [`\`${kind}\``, summary]);
  const events = Object.keys(EVENTS).map((name) => [`\`${name}\``, typeOf(SCHEMAS[`Event_${name}`] ?? {})]);
  const answers = Object.entries(SCHEMAS).filter(([name]) => !name.startsWith('Event_'));
  return [
    '### Routes\n',
    markdownTable(['route', 'a rule must allow', 'gives', 'name'], routes),
    '### Kinds of jobs\n',
    markdownTable(['kind', 'does'], kinds),
    '### Events\n',
    markdownTable(['event', 'data'], events),
    '### Problems\n',
    markdownTable(['type', 'status', 'title'], problems),
    '### Shapes\n',
    ...answers.map(([name, schema]) => `#### ${name}\n\n${fieldTable(schema)}`),
  ].join('\n');
}

it('docs/api.md is what the contract says', async () => {
  await expect(
    withWrittenPart(readFileSync(PAGE, 'utf8'), BEGIN, END, render()),
    'docs/api.md is out of date: run "npx vitest run --project unit src/api/reference -u" and commit it',
  ).toMatchFileSnapshot(PAGE.pathname);
});

it('each reference of the document leads to one of its schemas', () => {
  const references = [...JSON.stringify(DOCUMENT).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
  expect(references.length).toBeGreaterThan(10);
  expect(references.filter(([, name = '']) => SCHEMAS[name] === undefined)).toEqual([]);
});

it('the document names every route, with what it takes', () => {
  const paths = DOCUMENT['paths'] as Record<string, Record<string, Schema>>;
  expect(paths['/pins']?.['post']?.['requestBody']).toMatchObject({ required: true });
  expect(paths['/jobs/{id}']?.['get']?.['parameters']).toMatchObject([{ name: 'id', in: 'path' }]);
  expect(paths['/tags']?.['get']?.['parameters']).toMatchObject([
    { name: 'after', required: false },
    { name: 'limit', required: false, schema: { minimum: 1, maximum: 1000 } },
    { name: 'repository', in: 'query', required: true },
  ]);
  const operations = Object.values(paths).flatMap((path) => Object.values(path));
  expect(new Set(operations.map((operation) => operation['operationId']))).toEqual(
    new Set(Object.keys(ROUTES)),
  );
});
