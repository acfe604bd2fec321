import { byScale, type Bench } from '../support/bench.ts';
import { COLD_METRICS, measureCold } from './cold-blob.ts';

const PLAN = {
  full: { rounds: 3, size: 60e6, blobs: 8 },
  quick: { rounds: 2, size: 60e6, blobs: 8 },
  smoke: { rounds: 1, size: 1e6, blobs: 8 },
};

export const coldBlobsAtOnce: Bench = {
  name: 'cold-blobs-at-once',
  title: '8 different cold blobs of 60 MB at once',
  metrics: COLD_METRICS,
  goals: [{ metric: 'wall', against: 'distribution proxy', atMost: 0.85 }],
  isLeftOutOfSmoke: true,
  run: async (context) => measureCold(context, false, byScale(context.scale, PLAN)),
};

export const coldBlobsAtOnceByTls: Bench = {
  name: 'cold-blobs-at-once-by-tls',
  title: '8 different cold blobs of 60 MB at once, from an upstream by TLS',
  metrics: COLD_METRICS,
  goals: [
    { metric: 'wall', against: 'distribution proxy', atMost: 0.85 },
    { metric: 'wall', against: 'limit', atMost: 1.6 },
  ],
  run: async (context) => measureCold(context, true, byScale(context.scale, PLAN)),
};
