export { type Descriptions, loadDescriptions } from './descriptions.ts';
export { groupPriority } from './group-priorities.ts';
export { addResources, maxResources, podLimits, podRequests, type ResourceList } from './pod-resources.ts';
export { protobufCodec } from './protobuf.ts';
export * from './resources.ts';
export { schemas, typeTable } from './schemas.ts';
export { actionSubresources, type Subresource } from './subresources.ts';
