import type { Container, LimitRange, Pod } from '@orrery/api/core/v1';
import { canonicalQuantity, type Draft } from '@orrery/apimachinery';

const ANNOTATION = 'kubernetes.io/limit-ranger';

type Amounts = Record<string, string>;

/** Sets what containers leave out; an annotation tells what was set. Source: limitranger mergePodResourceRequirements. */
export function setDefaults({ metadata, spec }: Draft<Pod>, { spec: range }: LimitRange): void {
  const items = (range?.limits ?? []).filter(({ type }) => type === 'Container');
  const requests: Amounts = Object.assign({}, ...items.map(({ defaultRequest }) => defaultRequest));
  const limits: Amounts = Object.assign({}, ...items.map((item) => item.default));
  const told = [
    ...(spec.containers ?? []).flatMap((container) => complete(container, 'container', requests, limits)),
    ...(spec.initContainers ?? []).flatMap((container) => complete(container, 'init container', requests, limits)),
  ];
  if (told.length > 0) metadata.annotations = { ...metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${told.join('; ')}` };
}

function complete(container: Draft<Container>, noun: string, requests: Amounts, limits: Amounts): string[] {
  const told: string[] = [];
  for (const [key, what, defaults] of [
    ['requests', 'request', requests],
    ['limits', 'limit', limits],
  ] as const) {
    const missing = Object.keys(defaults)
      .filter((name) => container.resources?.[key]?.[name] === undefined)
      .sort();
    if (missing.length === 0) continue;
    const added = Object.fromEntries(missing.map((name) => [name, canonicalQuantity(defaults[name] ?? '0')]));
    container.resources = { ...container.resources, [key]: { ...container.resources?.[key], ...added } };
    told.push(`${missing.join(', ')} ${what} for ${noun} ${container.name}`);
  }
  return told;
}
