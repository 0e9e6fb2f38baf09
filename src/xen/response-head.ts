import type { Socket } from 'node:net';

export interface ResponseHead {
  readonly status: number;
  readonly location: string | null;
}

const MAX_HEAD_BYTES = 16_384;

/** Reads an HTTP response up to the empty line and leaves the rest in the socket. */
export async function readResponseHead(socket: Socket): Promise<ResponseHead> {
  const { promise, resolve, reject } = Promise.withResolvers<ResponseHead>();
  let seen = Buffer.alloc(0);
  const onReadable = (): void => {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      seen = Buffer.concat([seen, chunk]);
      const end = seen.indexOf('\r\n\r\n');
      if (end >= 0) {
        socket.unshift(seen.subarray(end + 4));
        resolve(parseHead(seen.subarray(0, end).toString('latin1')));
        return;
      }
      if (seen.length > MAX_HEAD_BYTES) {
        reject(new Error('the answer has no end'));
        return;
      }
    }
  };
  const onClose = (): void => {
    reject(new Error('the connection was closed'));
  };
  socket.on('readable', onReadable);
  socket.once('error', reject);
  socket.once('close', onClose);
  try {
    return await promise;
  } finally {
    socket.off('readable', onReadable);
    socket.off('error', reject);
    socket.off('close', onClose);
  }
}

function parseHead(head: string): ResponseHead {
  const [statusLine = '', ...fields] = head.split('\r\n');
  const location = fields.find((field) => field.toLowerCase().startsWith('location:'));
  return {
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? 0),
    location: location === undefined ? null : location.slice('location:'.length).trim(),
  };
}
