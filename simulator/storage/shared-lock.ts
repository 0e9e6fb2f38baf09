/** Many readers or one writer, in the order they came. */
export class SharedLock {
  readonly #waiting: { readonly exclusive: boolean; readonly start: () => void }[] = [];
  #readers = 0;
  #writing = false;

  async shared<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter(false);
    try {
      return await work();
    } finally {
      this.#readers -= 1;
      this.#wake();
    }
  }

  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter(true);
    try {
      return await work();
    } finally {
      this.#writing = false;
      this.#wake();
    }
  }

  async #enter(exclusive: boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push({ exclusive, start: resolve });
      this.#wake();
    });
  }

  #wake(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || this.#writing || (next.exclusive && this.#readers > 0)) {
        return;
      }
      this.#waiting.shift();
      if (next.exclusive) {
        this.#writing = true;
      } else {
        this.#readers += 1;
      }
      next.start();
    }
  }
}
