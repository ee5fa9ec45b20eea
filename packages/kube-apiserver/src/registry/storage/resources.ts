import type { ResourceDefinition } from '@orrery/apiserver';
import { csiDriverDefinition } from './csidriver/resource.ts';
import { csiNodeDefinition } from './csinode/resource.ts';
import { csiStorageCapacityDefinition } from './csistoragecapacity/resource.ts';
import { storageClassDefinition } from './storageclass/resource.ts';
import { volumeAttachmentDefinition } from './volumeattachment/resource.ts';
import { volumeAttributesClassDefinition } from './volumeattributesclass/resource.ts';

export const storageResources: readonly ResourceDefinition[] = [
  csiDriverDefinition,
  csiNodeDefinition,
  csiStorageCapacityDefinition,
  storageClassDefinition,
  volumeAttachmentDefinition,
  volumeAttributesClassDefinition,
];
