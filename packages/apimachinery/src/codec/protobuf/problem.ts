/** Bytes that are no protobuf message of the expected type. Turned into a StatusError at the package's border. */
export class ProtobufProblem extends Error {}
