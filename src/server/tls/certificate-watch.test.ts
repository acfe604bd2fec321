import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEvents, type LarderEvent } from '../../events.ts';
import { CertificateWatch, type TlsFiles, type TlsMaterial } from './certificate-watch.ts';

const OLD: TlsMaterial = { cert: 'old certificate', key: 'old key', clientCa: undefined };
const NEW: TlsMaterial = { cert: 'new certificate', key: 'new key', clientCa: undefined };

/** Files that count how often they are read. */
class TestFiles implements TlsFiles {
  content: TlsMaterial | Error = OLD;
  edition = 1;
  reads = 0;

  version(): Promise<string> {
    return Promise.resolve(`${this.edition}`);
  }

  read(): Promise<TlsMaterial> {
    this.reads += 1;
    return this.content instanceof Error ? Promise.reject(this.content) : Promise.resolve(this.content);
  }

  write(content: TlsMaterial | Error): void {
    this.content = content;
    this.edition += 1;
  }
}

function world(isUsable: (material: TlsMaterial) => boolean = () => true) {
  const files = new TestFiles();
  const clock = new ManualClock();
  const events = createEvents();
  const told: LarderEvent[] = [];
  events.subscribe((event) => told.push(event));
  const used: TlsMaterial[] = [];
  const watch = new CertificateWatch(files, OLD, { clock, events });
  watch.start((material) => {
    if (!isUsable(material)) throw new Error('OpenSSL does not take it');
    used.push(material);
  });
  /** Moves the clock to the next look, and waits for its end. */
  const look = async (): Promise<void> => {
    clock.advance(5_000);
    await expect.poll(() => clock.pending).toBe(1);
  };
  return { files, clock, told, used, watch, look };
}

const RENEWED = { kind: 'certificate-changed', state: 'renewed' };

describe('CertificateWatch', () => {
  test('reads files that have changed, uses them and says so once', async () => {
    const { files, told, used, look } = world();
    await look();
    files.write(NEW);
    await look();
    await look();
    expect([used, told, files.reads]).toEqual([[NEW], [RENEWED], 2]);
  });

  test('does not look before its time', () => {
    const { files, clock } = world();
    clock.advance(4_999);
    expect(files.reads).toBe(0);
  });

  test('says nothing of files that were written again with the same content', async () => {
    const { files, told, used, look } = world();
    files.write({ ...OLD });
    await look();
    expect([used, told]).toEqual([[], []]);
  });

  test.each<[string, Partial<TlsMaterial>]>([
    ['the certificate', { cert: 'another' }],
    ['the key', { key: 'another' }],
    ['the authorities of clients', { clientCa: 'another' }],
  ])('uses files of which %s alone has changed', async (_, change) => {
    const { files, used, look } = world();
    files.write({ ...OLD, ...change });
    await look();
    expect(used).toEqual([{ ...OLD, ...change }]);
  });

  test('says nothing of a certificate whose key comes a moment later', async () => {
    const { files, told, used, look } = world();
    files.write(new Error('the key is not that of the certificate'));
    await look();
    files.write(NEW);
    await look();
    expect([used, told]).toEqual([[NEW], [RENEWED]]);
  });

  test('keeps the old pair while the files cannot be used, and says so once', async () => {
    const { files, told, used, look } = world();
    const error = new Error('the key is not that of the certificate');
    files.write(error);
    for (let looks = 0; looks < 4; looks += 1) await look();
    expect([used, told]).toEqual([[], [{ kind: 'certificate-changed', state: 'unusable', error }]]);
    files.write(NEW);
    await look();
    expect([used, told.length]).toEqual([[NEW], 2]);
  });

  test('keeps the old pair if the server does not take the new one, and tries again', async () => {
    let isUsable = false;
    const { files, told, used, look } = world(() => isUsable);
    files.write(NEW);
    await look();
    await look();
    expect([used, told]).toMatchObject([[], [{ state: 'unusable' }]]);
    isUsable = true;
    await look();
    expect([used, told.at(-1)]).toEqual([[NEW], RENEWED]);
  });

  test('ends with its timer, and waits for a look that is under way', async () => {
    const { files, clock, watch } = world();
    let finish: (() => void) | undefined;
    files.version = () => new Promise((resolve) => (finish = () => resolve('2')));
    clock.advance(5_000);
    let isClosed = false;
    const closed = watch.close().then(() => (isClosed = true));
    await Promise.resolve();
    expect(isClosed).toBe(false);
    finish?.();
    await closed;
    expect(clock.pending).toBe(0);
  });
});
