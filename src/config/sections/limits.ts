import { section } from './section.ts';
import { wait } from '../values/duration.ts';
import { count } from '../values/whole-number.ts';

/** `limits`: the bounds that protect Larder against clients. */
export const limits = () =>
  section({
    requests: count(1).prefault(4096).describe('Requests served at the same time; beyond it, 503.'),
    requestsPerClient: count(1)
      .prefault(512)
      .describe(
        'The share of `requests` of one client (an IPv4 address, a /64 of IPv6). A client may have more while more than a ' +
          'share is left for others; beyond it, 429.',
      ),
    connections: count(1)
      .prefault(16_384)
      .describe(
        'Open connections, idle ones included. Beyond it, a new connection replaces the one that has been idle for longest ' +
          'of the client that holds the most. `/livez` and `/readyz` are answered beyond it. A client that sends its request ' +
          'slowly can hold up to 64 KiB of memory with each.',
      ),
    connectionsPerClient: count(1)
      .prefault(2048)
      .describe(
        'The share of `connections` of one client. A client may have more while more than a share is left for others.',
      ),
    headerTimeout: wait(1).prefault('15s').describe('How long a client may take to send its request.'),
    idleTimeout: wait(1)
      .prefault('60s')
      .describe('How long a client may take no byte of an answer before its connection is cut.'),
    upstreamConnections: count(1)
      .prefault(64)
      .describe('Connections to one host of an upstream at the same time; further requests wait for one.'),
  })
    .prefault({})
    .describe('What protects Larder against too many and too slow clients.');
