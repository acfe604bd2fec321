import { createDeliver, type Deliver } from './deliver.ts';
import { loadSendfile } from './koffi-sendfile.ts';

/** How stored bytes get to clients, chosen once. */
export interface Delivery {
  readonly deliver: Deliver;
  readonly method: 'sendfile' | 'read';
  /** Why it is not sendfile. */
  readonly reason?: string;
}

/** Where Larder runs, and what its operator wants. */
export interface Platform {
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
}

/** The best way that this machine has; `read`: the one that every machine has. */
export async function chooseDelivery(
  wanted: 'auto' | 'read',
  { platform, arch }: Platform,
): Promise<Delivery> {
  if (wanted === 'read') return byReading('configured');
  try {
    return { deliver: createDeliver(await loadSendfile(platform, arch)), method: 'sendfile' };
  } catch (error) {
    return byReading(error instanceof Error ? error.message : String(error));
  }
}

function byReading(reason: string): Delivery {
  return { deliver: createDeliver(), method: 'read', reason };
}
