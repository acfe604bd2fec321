import * as z from 'zod';
import { ListedJob } from './jobs.ts';

/**
 * What the stream of events tells, by the name of the event. `reset`: events before the ones that follow are missing,
 * so a client that keeps a state reads it anew.
 */
export const EVENTS = {
  job: ListedJob,
  reset: z.object({}),
} as const;

export type EventName = keyof typeof EVENTS;

export type ApiEvent = {
  readonly [Name in EventName]: { readonly event: Name; readonly data: z.infer<(typeof EVENTS)[Name]> };
}[EventName];
