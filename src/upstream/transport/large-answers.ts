import type { Clock } from '../../clock.ts';
import type { AnswerInReading } from '../reader/connection.ts';
import { AnswerReader } from '../reader/answer-reader.ts';
import { Dialler, type DiallerOptions } from '../reader/dialler.ts';
import { LostConnectionError, UnfitAnswerError } from '../reader/failures.ts';
import { formatGet } from '../reader/request-head.ts';
import { Misfits } from './misfits.ts';

export interface LargeAnswersOptions extends Omit<DiallerOptions, 'ending'> {
  readonly clock: Clock;
}

/** A GET whose answer may have a large body. */
export interface LargeRequest {
  readonly url: URL;
  /** Path and query as they are sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Gets answers by the reader for large bodies, from servers whose answers have the simplest form. */
export class LargeAnswers {
  readonly #reader: AnswerReader;
  readonly #dialler: Dialler;
  readonly #misfits: Misfits;
  readonly #ending = new AbortController();

  constructor(options: LargeAnswersOptions) {
    this.#reader = new AnswerReader(options.clock);
    this.#dialler = new Dialler({ ...options, ending: this.#ending.signal });
    this.#misfits = new Misfits(options.clock);
  }

  /**
   * Sends the request. @returns undefined if undici has to send it, since the answer or the request has another form
   * @throws the signal's reason, and errors of the network
   */
  async get({ url, target, headers, signal }: LargeRequest): Promise<AnswerInReading | undefined> {
    const text = formatGet({ host: url.host, target, headers });
    const { origin } = url;
    if (text === undefined || this.#misfits.has(origin)) return undefined;
    try {
      const dial = () => this.#dialler.dial(url, signal);
      const answer = await this.#reader.get({ origin, text, signal, dial });
      void answer.over.then((after) => {
        if (after === 'unfit') this.#misfits.add(origin);
      });
      return answer;
    } catch (error) {
      if (!(error instanceof UnfitAnswerError)) throw error;
      this.#misfits.add(origin);
      return undefined;
    }
  }

  /** Closes all connections; requests that still run fail. */
  close(): void {
    this.#ending.abort(new LostConnectionError(false));
    this.#reader.close();
  }
}
