export type { HostAbilities } from './host.ts';
export { emptyImageMap, type ImageMap, ImageMapError, type MappedImage, parseImageMap } from './image-map.ts';
export { openProcessRuntime, type ProcessRuntime, type ProcessRuntimeOptions } from './process-runtime.ts';
