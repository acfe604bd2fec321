/** The program of fetcher.ts: carries out its parent's orders. */
import pLimit from 'p-limit';
import { Download, type Downloaded } from './download.ts';
import type { Order, Report } from './fetcher.ts';

const TICK_MS = 50;
let held: Download[] = [];
let timer: NodeJS.Timeout | undefined;

process.on('message', (order: Order) => {
  void obey(order).then((report) => process.send?.(report));
});
process.on('disconnect', () => process.exit());

async function obey(order: Order): Promise<Report> {
  try {
    if (order.kind === 'fetch') return await fetchAll(order);
    if (order.kind === 'hold') return hold(order.wanted, order.bytesPerSecond);
    if (order.kind === 'count') return { kind: 'held', bytes: held.map(({ bytes }) => bytes) };
    return release();
  } catch (error) {
    return { kind: 'failed', message: (error as Error).message };
  }
}

async function fetchAll({ wanted, atOnce }: Extract<Order, { kind: 'fetch' }>): Promise<Report> {
  const startedAt = performance.now();
  const answers: Downloaded[] = await pLimit(atOnce).map(wanted, async (each) => new Download(each).done);
  return { kind: 'fetched', wallMs: performance.now() - startedAt, answers };
}

/** Starts clients that each read at this rate until an order to leave. */
function hold(wanted: Extract<Order, { kind: 'hold' }>['wanted'], bytesPerSecond: number): Report {
  held = wanted.map((each) => new Download(each, true));
  for (const download of held) download.done.catch(() => {});
  let allowedUntil = performance.now();
  timer = setInterval(() => {
    const seconds = (performance.now() - allowedUntil) / 1000;
    allowedUntil += seconds * 1000;
    for (const download of held) download.allow(bytesPerSecond * seconds, bytesPerSecond);
  }, TICK_MS);
  return { kind: 'held', bytes: held.map(() => 0) };
}

function release(): Report {
  clearInterval(timer);
  const bytes = held.map((download) => download.bytes);
  for (const download of held) download.leave();
  held = [];
  return { kind: 'held', bytes };
}
