/** What one client, or all together, may take from the server. */
export interface HttpLimits {
  /** Largest request body. @default 3 MiB, upstream's limit */
  readonly bodyBytesMax: number;
  /** All header lines together; the request line counts. @default 128 KiB */
  readonly headerBytesMax: number;
  /** From the first byte of a connection, or of a request, to the end of its headers. @default 32 s */
  readonly headersTimeoutMs: number;
  /** Everything but watches, logs, exec and proxies. @default 60 s */
  readonly requestTimeoutMs: number;
  /** Idle connections are closed. @default 180 s */
  readonly keepAliveMs: number;
  /** A watch whose client takes nothing for so long is ended. @default 60 s */
  readonly stalledWriteMs: number;
  /** Reads being served at once, watches aside. @default 400 */
  readonly readsInFlightMax: number;
  /** Writes being served at once. @default 200 */
  readonly writesInFlightMax: number;
  /** Watches open at once. @default 20,000 */
  readonly watchesMax: number;
  /** HTTP/2 streams one connection may have open. @default 250 */
  readonly streamsPerConnectionMax: number;
  /** TCP connections at once. @default 16,384 */
  readonly connectionsMax: number;
  /** Answers from this size on are compressed for clients that accept it and are not on this machine. @default 128 KiB */
  readonly gzipBytesMin: number;
  /** How long `close` waits for requests in flight. @default 5 s */
  readonly shutdownGraceMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  bodyBytesMax: 3 * 1024 * 1024,
  headerBytesMax: 128 * 1024,
  headersTimeoutMs: 32_000,
  requestTimeoutMs: 60_000,
  keepAliveMs: 180_000,
  stalledWriteMs: 60_000,
  readsInFlightMax: 400,
  writesInFlightMax: 200,
  watchesMax: 20_000,
  streamsPerConnectionMax: 250,
  connectionsMax: 16_384,
  gzipBytesMin: 128 * 1024,
  shutdownGraceMs: 5_000,
};
