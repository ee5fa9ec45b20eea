import type { SubresourceHandler } from '@orrery/apiserver';
import { podBinding } from './core/pod/binding.ts';
import { podEviction } from './core/pod/eviction.ts';

/** Subresources with a meaning of their own, by `resource/subresource`. */
export const subresources: Readonly<Record<string, SubresourceHandler>> = {
  'pods/binding': podBinding,
  'pods/eviction': podEviction,
};
