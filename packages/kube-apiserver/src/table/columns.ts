import type { Container, PodTemplateSpec } from '@orrery/api/core/v1';
import { type KubeObject, type LabelSelector, selectorFromLabelSelector } from '@orrery/apimachinery';
import type { Column } from '@orrery/apiserver';
import { ageOf } from './human-duration.ts';

/** First column of nearly every kind. */
export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  format: 'name',
  description: 'Unique name of the object within its namespace.',
  cell: ({ metadata }) => metadata.name ?? '',
};

/** Time since creation, for people. */
export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  description: 'Time since the object was created.',
  cell: ({ metadata }, nowMs) => ageOf(metadata.creationTimestamp, nowMs),
};

/** Columns of kinds without a printer of their own. */
export const createdAtColumn: Column<KubeObject> = {
  name: 'Created At',
  type: 'date',
  description: 'When the object was created.',
  cell: ({ metadata }) => metadata.creationTimestamp ?? '',
};

/** Names and images of a template's containers, shown by `-o wide`. */
export function containerColumns<T extends KubeObject>(template: (object: T) => PodTemplateSpec | undefined, priority = 1): Column<T>[] {
  const containers = (object: T): readonly Container[] => template(object)?.spec?.containers ?? [];
  return [
    {
      name: 'Containers',
      priority,
      description: 'Names of each container in the template.',
      cell: (object) =>
        containers(object)
          .map(({ name }) => name)
          .join(','),
    },
    {
      name: 'Images',
      priority,
      description: 'Images referenced by each container in the template.',
      cell: (object) =>
        containers(object)
          .map(({ image }) => image ?? '')
          .join(','),
    },
  ];
}

/** Text of the object's label selector, shown by `-o wide`. */
export function selectorColumn<T extends KubeObject>(selector: (object: T) => LabelSelector | undefined): Column<T> {
  return {
    name: 'Selector',
    priority: 1,
    description: 'Label selector of the pods.',
    cell: (object) => selectorFromLabelSelector(selector(object)).toString(),
  };
}

/** `a=b,c=d`, by key; `<none>` for none. Source: labels.FormatLabels. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const text = Object.keys(labels ?? {})
    .sort()
    .map((key) => `${key}=${labels?.[key]}`)
    .join(',');
  return text === '' ? '<none>' : text;
}

/** `list` shortened to its first `max` entries and a count of the rest; `empty` for none. */
export function firstFew(list: readonly string[], max: number, empty: string): string {
  if (list.length === 0) return empty;
  const shown = list.slice(0, max).join(',');
  return list.length > max ? `${shown} + ${list.length - max} more...` : shown;
}
