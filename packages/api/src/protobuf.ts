import { newProtobufCodec, type ProtobufCodec, type ProtobufTable } from '@orrery/apimachinery';
import { loadProtobuf } from './generated/tables/protobuf.ts';
import { schemas, typeTable } from './schemas.ts';

let codec: ProtobufCodec | undefined; // One for the process: its plans are shared.

/** The protobuf form of every kind of Kubernetes 1.36 that has one. The tables are parsed on the first call (about 3 ms). */
export function protobufCodec(): ProtobufCodec {
  codec ??= newProtobufCodec(loadProtobuf() as ProtobufTable, typeTable(), schemas);
  return codec;
}
