import { BufferShares } from './buffer-shares.ts';
import { createDeliver, type Deliver } from './deliver.ts';
import { loadSendfile } from './koffi-sendfile.ts';
import type { HostPlatform } from './sendfile.ts';

/** The method by which stored bytes get to clients, chosen once. */
export interface Delivery {
  readonly deliver: Deliver;
  readonly method: 'sendfile' | 'read';
  /** Why the method is not sendfile. */
  readonly reason?: string;
}

/**
 * Chooses the best method of this machine. Every machine has the method `read`.
 * @param sendfiles most calls of sendfile(2) at the same time
 */
export async function chooseDelivery(
  wanted: 'auto' | 'read',
  platform: HostPlatform,
  sendfiles: number,
  shares = new BufferShares(),
): Promise<Delivery> {
  if (wanted === 'read') return byReading('configured', shares);
  try {
    return { deliver: createDeliver(await loadSendfile(platform, sendfiles), shares), method: 'sendfile' };
  } catch (error) {
    return byReading(error instanceof Error ? error.message : String(error), shares);
  }
}

function byReading(reason: string, shares: BufferShares): Delivery {
  return { deliver: createDeliver(undefined, shares), method: 'read', reason };
}
