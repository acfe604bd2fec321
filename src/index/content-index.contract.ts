import { afterEach, beforeEach, describe } from 'vitest';
import { describeBelongingIndex } from './belonging-index.contract.ts';
import { describeBlobIndex } from './blob-index.contract.ts';
import type { ContentIndex } from './content-index.ts';
import { describeContentSurvey } from './content-survey.contract.ts';
import { describeJobIndex } from './job-index.contract.ts';
import { describeLeaseIndex } from './lease-index.contract.ts';
import { describeManifestIndex } from './manifest-index.contract.ts';
import { describePinIndex } from './pin-index.contract.ts';
import { describeTagIndex } from './tag-index.contract.ts';

/**
 * The index of the running test. A port's contract gets all ports: what is put through one shows in another.
 */
export interface Subject {
  readonly index: ContentIndex;
}

/** Tests what every implementation of ContentIndex does, port by port. @param open returns an empty index */
export function describeContentIndex(name: string, open: () => Promise<ContentIndex>): void {
  describe(`${name} as a content index`, () => {
    let index: ContentIndex;
    const subject: Subject = {
      get index() {
        return index;
      },
    };

    beforeEach(async () => {
      index = await open();
    });

    afterEach(async () => {
      await index.close();
    });

    describe('tags', () => {
      describeTagIndex(subject);
    });
    describe('manifests', () => {
      describeManifestIndex(subject);
    });
    describe('blobs', () => {
      describeBlobIndex(subject);
    });
    describe('pins', () => {
      describePinIndex(subject);
    });
    describe('leases', () => {
      describeLeaseIndex(subject);
    });
    describe('belongings', () => {
      describeBelongingIndex(subject);
    });
    describe('jobs', () => {
      describeJobIndex(subject);
    });
    describe('the survey', () => {
      describeContentSurvey(subject);
    });
  });
}
