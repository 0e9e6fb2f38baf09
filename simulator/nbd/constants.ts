/** The numbers of the NBD protocol (fixed newstyle) that XAPI's server speaks. */
export const MAGIC = Buffer.from('NBDMAGIC', 'ascii');
export const OPTION_MAGIC = Buffer.from('IHAVEOPT', 'ascii');
export const OPTION_REPLY_MAGIC = 0x3e889045565a9n;
export const REQUEST_MAGIC = 0x25609513;
export const REPLY_MAGIC = 0x67446698;

export const FIXED_NEWSTYLE = 1;
export const HAS_FLAGS_READ_ONLY = 3;

export const OPTION = { exportName: 1, abort: 2, list: 3, startTls: 5 } as const;

export const REPLY = {
  ack: 1,
  unsupported: 0x80000001,
  policy: 0x80000002,
  invalid: 0x80000003,
  tlsRequired: 0x80000005,
} as const;

export const COMMAND = { read: 0, write: 1, disconnect: 2 } as const;

export const ERRNO = { perm: 1, io: 5, inval: 22 } as const;

export const SECTOR = 512;
