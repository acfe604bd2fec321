import { BASE, ROUTES, type ApiRoute, type RouteName } from './contract/routes.ts';
import { ProblemError } from './problem-error.ts';

export interface FoundRoute {
  readonly name: RouteName;
  readonly route: ApiRoute;
  /** The text of the segment `{id}`; empty if the path has none. */
  readonly id: string;
}

/** Finds the route of a request. @throws ProblemError `no-route`, `wrong-method` */
export function findRoute(method: string, path: string): FoundRoute {
  const found = matching(path);
  if (found.length === 0) throw new ProblemError('no-route', 'the API has no such path');
  const route = found.find((each) => each.route.method === method);
  if (route !== undefined) return route;
  const methods = methodsOf(path).join(', ');
  throw new ProblemError('wrong-method', `the path takes ${methods}`);
}

/** Returns the methods that a path takes. */
export function methodsOf(path: string): readonly string[] {
  return matching(path).map(({ route }) => route.method);
}

function matching(path: string): readonly FoundRoute[] {
  return (Object.entries(ROUTES) as [RouteName, ApiRoute][]).flatMap(([name, route]) => {
    const pattern = route.path.replace('{id}', '([A-Za-z0-9_-]{1,64})').replaceAll('.', '\\.');
    const match = new RegExp(`^${BASE}${pattern}$`).exec(path);
    return match === null ? [] : [{ name, route, id: match[1] ?? '' }];
  });
}
