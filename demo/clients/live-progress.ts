import { createClient } from 'graphql-ws';
import type { GraphqlClient } from './graphql.ts';

/** A job's progress as the API tells it, 64-bit numbers as decimal text. */
export interface LiveProgress {
  readonly phase: string;
  readonly bytesDone: string;
  readonly bytesTotal: string;
  readonly bytesPerSecond: string;
}

interface Message {
  readonly jobProgress: { readonly progress: LiveProgress | null };
}

const PROGRESS = `subscription ($jobId: ID!) { jobProgress(jobId: $jobId) {
  state progress { phase bytesDone bytesTotal bytesPerSecond } } }`;

/** Follows one job over a GraphQL subscription until it is closed. What is missed is in the next message. */
export class JobFeed {
  readonly #close: () => void;
  #messages = 0;

  constructor({ url, token }: GraphqlClient, jobId: string, onProgress: (progress: LiveProgress) => void) {
    const address = new URL('/graphql', url);
    address.protocol = address.protocol.replace('http', 'ws');
    const client = createClient({
      url: address.href,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 3,
    });
    const end = client.subscribe<Message>(
      { query: PROGRESS, variables: { jobId } },
      {
        next: ({ data }) => {
          this.#messages += 1;
          const progress = data?.jobProgress.progress;
          if (progress !== null && progress !== undefined) {
            onProgress(progress);
          }
        },
        error: () => undefined, // whoever needs the messages counts them
        complete: () => undefined,
      },
    );
    this.#close = () => {
      end();
      void client.dispose();
    };
  }

  get messages(): number {
    return this.#messages;
  }

  close(): void {
    this.#close();
  }
}
