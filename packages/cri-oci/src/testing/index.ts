export { startRegistry, type TestRegistry } from './registry.ts';
export { type ArchiveEntry, tarArchive } from './tar-archive.ts';
export { busyboxImage, digestOf, type TestImage, testImage } from './test-image.ts';
