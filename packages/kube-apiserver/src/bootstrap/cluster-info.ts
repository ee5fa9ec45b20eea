import { configMaps } from '@orrery/api';
import { isAlreadyExists } from '@orrery/apimachinery';
import { type Client, formatKubeconfig } from '@orrery/client';

const KEY = { namespace: 'kube-public', name: 'cluster-info' };

/** Publishes where the API server is and whom to trust, for machines that want to join. Tokens' signatures in it are the bootstrap signer's. */
export async function publishClusterInfo(client: Client, server: string, ca: string): Promise<void> {
  const cluster = { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const config = { apiVersion: 'v1', kind: 'Config', clusters: [{ name: '', cluster }], contexts: [], users: [] } as const;
  const data = { kubeconfig: await formatKubeconfig(config) };
  try {
    await client.create(configMaps, { metadata: KEY, data });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await client.patch(configMaps, KEY, 'merge', { data });
  }
}
