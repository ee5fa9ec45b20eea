import { describe } from 'vitest';
import type { RuntimeFactory } from './abilities.ts';
import { describeContainers } from './containers.ts';
import { describeImages } from './images.ts';
import { newKit } from './kit.ts';
import { describeLimits, describeStats } from './limits.ts';
import { describeLogs } from './logs.ts';
import { describeNamespaces } from './namespaces.ts';
import { describeRestart } from './restart.ts';
import { describeSandboxes } from './sandboxes.ts';
import { describeSecurity } from './security.ts';
import { describeStreaming } from './streaming.ts';
import { describeVolumes } from './volumes.ts';

export type { RuntimeAbilities, RuntimeFactory, RuntimeHost } from './abilities.ts';
export { type ConformanceRegistry, startConformanceRegistry } from './registry.ts';

/** The suite every driver passes, in the spirit of upstream's critest. What a driver cannot do is not a test. */
export function describeRuntimeConformance(name: string, factory: RuntimeFactory): void {
  describe(`runtime conformance: ${name}`, () => {
    const kit = newKit(factory);
    const { abilities } = factory;
    describeSandboxes(kit, abilities);
    describeContainers(kit, abilities);
    describeLogs(kit);
    describeVolumes(kit, abilities);
    describeStreaming(kit, abilities);
    describeImages(kit, abilities);
    describeStats(kit);
    describeLimits(kit, abilities);
    describeSecurity(kit, abilities);
    describeNamespaces(kit, abilities);
    describeRestart(kit);
  });
}
