import { mapMethods } from '../../src/index/map-methods.ts';
import type { RememberingIndex } from '../../src/index/decorators/remembering-index.ts';
import type { BlobStore } from '../../src/store/blob-store.ts';

/** Counts the calls of an index and a store, also those that memory answers. */
export class CountedCalls {
  readonly names: string[] = [];

  index(inner: RememberingIndex): RememberingIndex {
    return mapMethods(inner, (method, name) => (...args) => {
      this.names.push(`index.${name}`);
      return method(...args);
    });
  }

  store(inner: BlobStore): BlobStore {
    const counted = <F extends (...args: never[]) => unknown>(name: string, call: F): F =>
      ((...args) => {
        this.names.push(`store.${name}`);
        return call(...args);
      }) as F;
    return {
      ...inner,
      stat: counted('stat', inner.stat.bind(inner)),
      open: counted('open', inner.open.bind(inner)),
      ingest: counted('ingest', inner.ingest.bind(inner)),
      delete: counted('delete', inner.delete.bind(inner)),
      list: counted('list', inner.list.bind(inner)),
      quarantine: inner.quarantine,
    };
  }
}
