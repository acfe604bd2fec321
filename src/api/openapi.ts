import * as z from 'zod';
import { PinNames, Pins, Repositories, Stats, Tags } from './contract/content.ts';
import { EVENTS } from './contract/events.ts';
import { JOB_KINDS } from './contract/job-kinds.ts';
import { Job, Jobs, ListedJob, StartJob } from './contract/jobs.ts';
import { ProblemDocument, PROBLEM_TYPE } from './contract/problem.ts';
import { Upload } from './contract/uploads.ts';
import { BASE, ROUTES, type ApiRoute } from './contract/routes.ts';

/** A JSON value that the document is made of. */
type Json = Readonly<Record<string, unknown>>;

interface OpenApiDocument extends Json {
  readonly openapi: string;
}

/** The schemas that the document names. What starts a job is an input; the others are answers. */
const ANSWERS = {
  Stats,
  Repositories,
  Tags,
  Pins,
  PinNames,
  Job,
  JobSummary: ListedJob,
  Jobs,
  Upload,
  Problem: ProblemDocument,
  VerifyResult: JOB_KINDS.verify.result,
  RemoveResult: JOB_KINDS.remove.result,
  WarmResult: JOB_KINDS.warm.result,
  ExportResult: JOB_KINDS.export.result,
  ImportResult: JOB_KINDS.import.result,
} as const;

/** Returns this API as an OpenAPI 3.1 document. @param version of Larder */
export function openApiDocument(version: string): OpenApiDocument {
  return {
    openapi: '3.1.0',
    info: { title: 'Larder', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: BASE }],
    paths: paths(),
    components: { schemas: components() },
  };
}

function paths(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, route] of Object.entries(ROUTES) as [string, ApiRoute][]) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(name, route);
  }
  return paths;
}

function operation(name: string, route: ApiRoute): Json {
  const { summary, needs, status, body } = route;
  return {
    operationId: name,
    summary,
    description: `A rule must allow \`${needs}\`.`,
    parameters: [...pathParameters(route), ...queryParameters(route)],
    ...(body !== undefined && {
      requestBody: { required: true, content: bodyContent(body) },
    }),
    responses: {
      [status]: { description: summary, content: content(route) },
      default: {
        description: 'a problem (RFC 9457)',
        content: { [PROBLEM_TYPE]: { schema: reference('Problem') } },
      },
    },
  };
}

function bodyContent(body: z.ZodType | 'bytes'): Json {
  if (body === 'bytes') return { 'application/octet-stream': {} };
  return { 'application/json': { schema: inputSchema(body) } };
}

function content({ answer }: ApiRoute): Json {
  if (answer === 'bytes') return { 'application/x-tar': {} };
  if (answer === 'events') return { 'text/event-stream': { schema: { type: 'string' } } };
  const name = Object.entries(ANSWERS).find(([, schema]) => schema === answer)?.[0];
  return { 'application/json': { schema: name === undefined ? { type: 'object' } : reference(name) } };
}

function pathParameters({ path }: ApiRoute): readonly Json[] {
  if (!path.includes('{id}')) return [];
  return [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }];
}

function queryParameters({ query, answer }: ApiRoute): readonly Json[] {
  const { properties = {}, required = [] } = query === undefined ? {} : inputSchema(query);
  const parameters = Object.entries(properties as Record<string, Json>).map(([name, schema]) => ({
    name,
    in: 'query',
    required: (required as readonly string[]).includes(name),
    schema,
  }));
  if (answer !== 'events') return parameters;
  return [
    ...parameters,
    { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'string' } },
  ];
}

function inputSchema(schema: z.ZodType): Json {
  return withoutAddress(z.toJSONSchema(schema, { io: 'input' }));
}

/** Returns the answers by their names; where one contains another, it refers to it. */
function components(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(ANSWERS)) registry.add(schema, { id });
  const uri = (id: string): string => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(registry, { uri });
  const named = Object.entries(schemas).map(([name, schema]) => [name, withoutAddress(schema)]);
  return {
    ...(Object.fromEntries(named) as Json),
    StartJob: inputSchema(StartJob),
    ...eventSchemas(),
  };
}

function eventSchemas(): Json {
  return Object.fromEntries(
    Object.entries(EVENTS).map(([name, schema]) => {
      const shape = schema === ListedJob ? reference('JobSummary') : withoutAddress(z.toJSONSchema(schema));
      return [`Event_${name}`, shape];
    }),
  );
}

function withoutAddress(schema: Json): Json {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== '$schema' && name !== '$id'));
}

function reference(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}
