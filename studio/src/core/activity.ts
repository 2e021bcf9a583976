/** How long somebody works: pauses count up to a limit, so that an open page over lunch is no work. */

const LONGEST_PAUSE = 60;

export class ActiveTime {
  #spent = 0;
  #last: number;

  /** `now`: seconds of any clock that only goes forward. */
  constructor(private readonly now: () => number = () => performance.now() / 1000) {
    this.#last = now();
  }

  /** The person did something. */
  touch(): void {
    const now = this.now();
    this.#spent += Math.min(now - this.#last, LONGEST_PAUSE);
    this.#last = now;
  }

  /** Seconds of work since this was last asked. */
  take(): number {
    this.touch();
    const spent = this.#spent;
    this.#spent = 0;
    return spent;
  }
}
