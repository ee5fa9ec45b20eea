import type { ProbeAnswer } from './prober.ts';

export interface GrpcTarget {
  readonly host: string;
  readonly port: number;
  /** Empty: the server as a whole. */
  readonly service: string;
}

const METHOD = '/grpc.health.v1.Health/Check';
const SERVING = 1;
const statusNames = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** `HealthCheckRequest { string service = 1; }`. Names are shorter than 128 bytes in practice; longer ones take a longer length. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  if (name.length === 0) return Buffer.alloc(0);
  const length: number[] = [];
  for (let rest = name.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), name]);
}

/** `HealthCheckResponse { ServingStatus status = 1; }`: absent means 0. */
const decodeResponse = (bytes: Buffer): number => (bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0);

/** Asks the standard health service. The gRPC library is loaded with the first probe that needs it. Source: KEP-2727. */
export async function grpcHealth({ host, port, service }: GrpcTarget, signal: AbortSignal): Promise<ProbeAnswer> {
  const grpc = await import('@grpc/grpc-js');
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), { 'grpc.primary_user_agent': 'kube-probe/1.36' });
  try {
    return await new Promise<ProbeAnswer>((resolve) => {
      const call = client.makeUnaryRequest(
        METHOD,
        encodeRequest,
        decodeResponse,
        service,
        (err: { readonly code: number; readonly details: string } | null, status?: number) => {
          if (err === null) {
            const name = statusNames[status ?? 0] ?? String(status);
            if (status === SERVING) resolve({ result: 'success', output: 'service healthy' });
            else resolve({ result: 'failure', output: `service unhealthy (responded with "${name}")` });
          } else if (signal.aborted) {
            resolve({
              result: 'failure',
              output: `timeout: failed to connect service "${address}" within its timeout: context deadline exceeded`,
            });
          } else if (err.code === grpc.status.UNIMPLEMENTED) {
            resolve({
              result: 'failure',
              output: 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health)',
            });
          } else {
            resolve({ result: 'failure', output: `error: health rpc probe failed: ${err.details}` });
          }
        },
      );
      signal.addEventListener('abort', () => call.cancel(), { once: true });
    });
  } finally {
    client.close();
  }
}
