/** Rows of a list that are asked for at a time. */
const PAGE = 500;

interface ReadPage<Row> {
  readonly rows: readonly Row[];
  readonly next?: string | undefined;
}

/** Reads a list whole, page after page. */
export async function allPages<Row>(
  read: (page: { readonly after: string | undefined; readonly limit: number }) => Promise<ReadPage<Row>>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let after: string | undefined;
  do {
    const page = await read({ after, limit: PAGE });
    rows.push(...page.rows);
    after = page.next;
  } while (after !== undefined);
  return rows;
}
