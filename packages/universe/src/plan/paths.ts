/** Where things are in a pod. One folder, so that nothing of the image is hidden. */
export const podPaths = {
  /** The bootstrap and the packed code, from ConfigMaps; read-only. */
  code: '/universe/code',
  /** Packed code that was streamed in. */
  stream: '/universe/stream',
  /** The unpacked code: working directory of the program. */
  app: '/universe/app',
  config: '/universe/config',
  tls: '/universe/tls',
} as const;

export const bootstrapFile = { node: 'bootstrap.cjs', shell: 'bootstrap.sh' } as const;

/** Name of a piece of code among its ConfigMaps; they sort in order. */
export const partKey = (index: number): string => `part-${String(index).padStart(3, '0')}`;
