/** gRPC's form of an endpoint: a plain path is a unix socket. */
export const endpointOf = (text: string): string => (text.startsWith('/') ? `unix://${text}` : text);

/** Path of the socket; undefined for other kinds of endpoints. */
export function socketPath(endpoint: string): string | undefined {
  return /^unix:(?:\/\/)?(\/.*)$/.exec(endpointOf(endpoint))?.[1];
}
