import { createDeliver, type Deliver } from './deliver.ts';
import { loadSendfile } from './koffi-sendfile.ts';
import type { Platform } from './sendfile.ts';

/** How stored bytes get to clients, chosen once. */
export interface Delivery {
  readonly deliver: Deliver;
  readonly method: 'sendfile' | 'read';
  /** Why it is not sendfile. */
  readonly reason?: string;
}

/**
 * The best way that this machine has; `read`: the one that every machine has.
 * @param sendfiles calls of sendfile(2) at once
 */
export async function chooseDelivery(
  wanted: 'auto' | 'read',
  platform: Platform,
  sendfiles: number,
): Promise<Delivery> {
  if (wanted === 'read') return byReading('configured');
  try {
    return { deliver: createDeliver(await loadSendfile(platform, sendfiles)), method: 'sendfile' };
  } catch (error) {
    return byReading(error instanceof Error ? error.message : String(error));
  }
}

function byReading(reason: string): Delivery {
  return { deliver: createDeliver(), method: 'read', reason };
}
