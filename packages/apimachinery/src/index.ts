export { unrecognizedObject } from './codec/body-problem.ts';
export { type ParsedJson, type ParseJsonOptions, parseJson } from './codec/parse-json.ts';
export { type ParseYamlOptions, parseYaml } from './codec/parse-yaml.ts';
export {
  type DecodedProtobuf,
  type DecodedWatchEvent,
  type DecodeProtobufOptions,
  newProtobufCodec,
  type ProtobufCodec,
} from './codec/protobuf/codec.ts';
export { FrameSplitter } from './codec/protobuf/framing.ts';
export type { ProtobufField, ProtobufTable } from './codec/protobuf/plan.ts';
export { ProtobufProblem } from './codec/protobuf/problem.ts';
export { WireReader } from './codec/protobuf/reader.ts';
export { WireWriter } from './codec/protobuf/writer.ts';
export * from './errors/status-error.ts';
export * from './field/field-error.ts';
export * from './fields/field-selector.ts';
export type * from './generated/meta-v1.ts';
export * from './intstr/int-or-percent.ts';
export * from './json.ts';
export * from './labels/label-selector.ts';
export { labelKeyProblem, newRequirement, printRequirement, requirementHolds } from './labels/requirement.ts';
export type * from './labels/selector.ts';
export { withStoredTimes } from './managed-fields/entry-times.ts';
export type { FieldSet } from './managed-fields/field-set.ts';
export {
  emptySet,
  equalSets,
  fieldSetOfPaths,
  hasPath,
  intersectSets,
  isEmptySet,
  pathsOf,
  subtractSet,
  subtractTrees,
  unionSets,
} from './managed-fields/field-set.ts';
export { lastAppliedAnnotation } from './managed-fields/last-applied.ts';
export { printPath } from './managed-fields/list-elements.ts';
export { decodeFieldsV1 } from './managed-fields/manager-entries.ts';
export { fieldSetOf } from './managed-fields/object-set.ts';
export type { ApplyOptions, ApplyResult } from './managed-fields/server-side-apply.ts';
export { serverSideApply } from './managed-fields/server-side-apply.ts';
export type { TrackOptions } from './managed-fields/track-update.ts';
export { trackUpdate } from './managed-fields/track-update.ts';
export type { GroupResource, WatchEvent } from './object.ts'; // Ours, where meta/v1 has a type of the same name.
export * from './object.ts';
export { applyJsonPatch } from './patch/json-patch.ts';
export { equalJson } from './patch/json-value.ts';
export { applyMergePatch, createMergePatch } from './patch/merge-patch.ts';
export { createTwoWayMergePatch } from './patch/strategic-diff.ts';
export { strategicMergePatch } from './patch/strategic-merge.ts';
export * from './quantity/quantity.ts';
export type { QuantityFormat } from './quantity/suffix.ts';
export { type Decoded, type DecodeOptions, decodeStruct } from './schema/decode.ts';
export * from './schema/facts.ts';
export type * from './schema/schema.ts';
export { newSchemaSource } from './schema/source.ts';
export { strictApplyError, strictDecodingError } from './schema/strict-error.ts';
export { formatMicroTime, formatTime, parseRfc3339 } from './time.ts';
export * from './validation/address-range.ts';
export * from './validation/addresses.ts';
export * from './validation/identifiers.ts';
export * from './validation/ip-address.ts';
export * from './validation/labels-validation.ts';
export * from './validation/messages.ts';
export * from './validation/names.ts';
export * from './validation/object-meta.ts';
export * from './validation/object-name.ts';
