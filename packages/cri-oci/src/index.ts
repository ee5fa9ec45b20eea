export type { ImageConfig, ImageRecord } from './images/image-record.ts';
export { newImageService } from './images/image-service.ts';
export type { ImageFsInfo, ImageLog, ImageStore, ImageStoreOptions, LoadOptions, PullProgress, PullRequest } from './images/image-store.ts';
export { openImageStore } from './images/open-image-store.ts';
export { parseRegistries } from './images/parse-registries.ts';
export { noRegistries, type Registries } from './images/registries.ts';
export type { ContainerSnapshot, IdMapping, SnapshotOptions } from './images/snapshots.ts';
