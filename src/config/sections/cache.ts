import { section } from './section.ts';
import { byteSize, byteSizeOrUnlimited } from '../values/byte-size.ts';
import type { ValueContext } from '../values/context.ts';
import { durationOrNever } from '../values/duration.ts';
import { filePath } from '../values/path.ts';

/** `cache`: how much is kept, and where. Sizes are bytes. */
export const cache = (context: ValueContext) =>
  section({
    directory: filePath(context)
      .prefault('./cache')
      .describe('Where everything is kept. One process owns it.'),
    maxSize: byteSizeOrUnlimited(1)
      .prefault('50GiB')
      .describe(
        'Most bytes that are kept. Beyond it, the content that has not been pulled for longest is evicted.',
      ),
    minFree: byteSize().prefault('2GiB').describe('How much is left free on the disk.'),
    quarantine: byteSize()
      .prefault('1GiB')
      .describe(
        'How much is kept, for you to look at, of blobs that failed verification: never more than a twentieth of ' +
          '`maxSize`; 0: nothing.',
      ),
    manifestMemory: byteSize(1024 ** 2)
      .prefault('64MiB')
      .describe('How much memory holds manifests.'),
    blobMemory: byteSize()
      .prefault('32MiB')
      .describe('How much memory holds blobs of 64 KiB and less, image configs above all; 0: none.'),
    unusedFor: durationOrNever()
      .prefault('never')
      .describe('Content that no client has pulled for this long is evicted.'),
    verifyEvery: durationOrNever()
      .prefault('never')
      .describe(
        'How long after a verification of the whole store the next one begins, in the background: every blob is ' +
          'read and hashed, and what is wrong is set aside and comes from upstream again when it is next asked for.',
      ),
    verifyRate: byteSize(1)
      .prefault('20MiB')
      .describe(
        'How many bytes a second such a verification reads, and `larder verify` of a running server.',
      ),
  })
    .prefault({})
    .describe('What is kept, and where.');
