import { afterEach, beforeEach, describe } from 'vitest';
import { describeBlobs } from './blobs.contract.ts';
import type { ContentIndex } from './content-index.ts';
import { describeEvictionOrder } from './eviction-order.contract.ts';
import { describeForgetGone } from './forget-gone.contract.ts';
import { describeManifests } from './manifests.contract.ts';
import { describePermission } from './permission.contract.ts';
import { describePins } from './pins.contract.ts';
import { describeSurvey } from './survey.contract.ts';
import { describeTags } from './tags.contract.ts';

/** The index of the test that runs. */
export interface Subject {
  readonly index: ContentIndex;
}

/** What every implementation of ContentIndex does. @param open gives an empty one. */
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
      describeTags(subject);
    });
    describe('manifests', () => {
      describeManifests(subject);
    });
    describe('permission', () => {
      describePermission(subject);
    });

    describe('blobs', () => {
      describeBlobs(subject);
    });
    describe('the order of eviction', () => {
      describeEvictionOrder(subject);
    });
    describe('pins', () => {
      describePins(subject);
    });
    describe('the survey', () => {
      describeSurvey(subject);
    });
    describe('what is gone', () => {
      describeForgetGone(subject);
    });
  });
}
