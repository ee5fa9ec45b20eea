export * from './errors/status-error.ts';
export * from './field/field-error.ts';
export * from './fields/field-selector.ts';
export type * from './generated/meta-v1.ts';
export * from './intstr/int-or-percent.ts';
export * from './json.ts';
export * from './labels/label-selector.ts';
export { labelKeyProblem, newRequirement, printRequirement, requirementHolds } from './labels/requirement.ts';
export type * from './labels/selector.ts';
export type { GroupResource, WatchEvent } from './object.ts'; // Ours, where meta/v1 has a type of the same name.
export * from './object.ts';
export * from './quantity/quantity.ts';
export type { QuantityFormat } from './quantity/suffix.ts';
export type * from './schema/schema.ts';
export * from './validation/messages.ts';
export * from './validation/names.ts';
