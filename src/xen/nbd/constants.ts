/*
 * The NBD protocol (NetworkBlockDevice/nbd, doc/proto.md) as far as XAPI's server speaks it: fixed newstyle,
 * EXPORT_NAME, simple replies.
 */

export const NBD_MAGIC = 0x4e42444d41474943n; // "NBDMAGIC"
export const OPTION_MAGIC = 0x49484156454f5054n; // "IHAVEOPT"
export const OPTION_REPLY_MAGIC = 0x3e889045565a9n;
export const REQUEST_MAGIC = 0x25609513;
export const SIMPLE_REPLY_MAGIC = 0x67446698;

export const FLAG_FIXED_NEWSTYLE = 1;
export const FLAG_NO_ZEROES = 2;

export const OPT_EXPORT_NAME = 1;
export const OPT_STARTTLS = 5;

export const REP_ACK = 1;
export const REP_ERR_POLICY = 0x80000002;

export const CMD_READ = 0;
export const CMD_DISC = 2;

export const REQUEST_BYTES = 28;
export const SIMPLE_REPLY_BYTES = 16;
/** Reads must begin and end at a multiple of it. */
export const SECTOR_BYTES = 512;
/** Longest read that is asked for at once. */
export const MAX_READ_BYTES = 2 * 1024 * 1024;
