/** Record types by their numbers. Source: the registry of DNS parameters. */
export const recordType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
} as const;

export const CLASS_IN = 1;

/** Response codes. `badVersion` needs the upper bits in the OPT record (RFC 6891). */
export const responseCode = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;

export type ResponseCode = (typeof responseCode)[keyof typeof responseCode];

export const HEADER_BYTES = 12;
/** Without EDNS no UDP answer may be longer (RFC 1035). */
export const UDP_BYTES_DEFAULT = 512;
/** What we send at most over UDP, and announce: it passes every network unfragmented (DNS flag day 2020). */
export const UDP_BYTES_MAX = 1232;
export const TCP_BYTES_MAX = 65_535;

export const flag = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  authenticData: 0x0020,
  checkingDisabled: 0x0010,
} as const;
