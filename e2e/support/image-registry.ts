import { busyboxImage, startRegistry, type TestImage } from '@orrery/cri-oci/testing';
import { nginxImage } from './nginx-image.ts';

/** A real registry that stands for Docker Hub. */
export interface ImageRegistry {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** A registries file (see `orrery up --registries`) that leads docker.io there. */
  readonly registries: string;
  push(repository: string, tag: string, image: TestImage): Promise<void>;
  close(): Promise<void>;
}

/** Serves busybox (`latest`) and nginx with `nginxTags` as Docker Hub's official images. Close it. */
export async function startImageRegistry(nginxTags: readonly string[] = ['latest']): Promise<ImageRegistry> {
  const registry = await startRegistry();
  try {
    await registry.push('library/busybox', 'latest', busyboxImage());
    for (const tag of nginxTags) await registry.push('library/nginx', tag, nginxImage(tag));
  } catch (err) {
    await registry.close();
    throw err;
  }
  return {
    host: registry.host,
    registries: `mirrors:\n  docker.io:\n    endpoint: ["http://${registry.host}"]\n`,
    push: registry.push,
    close: registry.close,
  };
}
