import type { ConnectRequest } from '@orrery/apiserver';

/** Methods that the proxies pass on. */
export const proxyMethods: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Path below which the proxied server's own absolute links have to be, for a browser to find them again. */
export function rewriteBase({ namespace, name }: ConnectRequest, resource: string): string {
  const scope = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `/api/v1${scope}/${resource}/${name}/proxy`;
}
