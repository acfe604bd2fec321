import type { ExplainedRule, Explanation } from '../../../app/access/explain-access.ts';

/** Returns an explanation in lines for people. @param file the name of the configuration file */
export function explanationLines(explanation: Explanation, file: string): readonly string[] {
  const { isAllowed, client, action, repository, isServed, hasAccess, considered } = explanation;
  const what = repository === undefined ? withoutRepository(action) : `${verb(action)} ${repository}`;
  const may = `${isAllowed ? 'may' : 'may not'} ${what}`;
  const rules = considered.flatMap((rule) => [
    `  ${nameOf(rule)} (${file}:${rule.line}) ${verdict(rule, client)}:`,
    `      ${rule.text}`,
  ]);
  const notServed = isServed
    ? []
    : ["  it is not served to any client: the upstream's allow and deny leave it out"];
  const open = hasAccess ? [] : [`  ${file} has no section access: every client may pull everything`];
  return [
    `${isAllowed ? 'allowed' : 'denied'}: ${client} ${may}`,
    ...open,
    ...rules,
    ...without(explanation),
    ...notServed,
  ];
}

/** Each action that concerns no repository, in words. */
function withoutRepository(action: string): string {
  switch (action) {
    case 'admin':
      return 'change the cache by the API';
    case 'read':
      return 'read what the API tells';
    default:
      return `read the ${action}`;
  }
}

/** Each action as a verb with its preposition. */
function verb(action: string): string {
  switch (action) {
    case 'tags':
      return 'list the tags of';
    case 'push':
      return 'push to';
    case 'delete':
      return 'delete from';
    default:
      return action;
  }
}

function nameOf({ rule }: ExplainedRule): string {
  return rule === 'anonymous' ? 'anonymous' : `rule ${rule}`;
}

function verdict({ isAboutRepository, isAboutClient }: ExplainedRule, client: string): string {
  if (isAboutRepository && isAboutClient) return 'decides';
  if (isAboutClient) return 'does not match the repository';
  return `does not match ${isAboutRepository ? client : `the repository, nor ${client}`}`;
}

function without({ hasAccess, considered }: Explanation): readonly string[] {
  const last = considered.at(-1);
  const isDecided = last !== undefined && last.isAboutRepository && last.isAboutClient;
  return !hasAccess || isDecided ? [] : ['  no rule matches: what no rule allows is denied'];
}
