/** One write of the load, to one object that only its writer writes. */
export interface Write {
  readonly writer: number;
  readonly resource: Resource;
  readonly name: string;
  readonly verb: 'create' | 'update' | 'delete';
  /** What the object says after it; of a deletion, what it said last. Never used twice. */
  readonly value: string;
}

/** A write that the server acknowledged; a deletion's answer does not tell its revision. */
export interface Acknowledged extends Write {
  readonly revision: number | undefined;
}

export type Resource = 'configmaps' | 'pods';

/** The state of one object, as a writer goes on from it. */
export interface Known {
  readonly resource: Resource;
  readonly name: string;
  readonly value: string;
  readonly revision: string;
}

/** To the load: write to this server until the connection breaks. */
export interface Go {
  readonly kubeconfig: string;
  /** Instead of HTTP/1.1. */
  readonly http2: boolean;
  readonly known: readonly Known[];
}

/** From the load: the first write of a round was acknowledged. */
export type Writing = 'writing';

/** From the load, when every writer has noticed that the server is gone. */
export interface Report {
  readonly acknowledged: readonly Acknowledged[];
  /** Writes without an answer: done or not, but nothing else. */
  readonly doubtful: readonly Write[];
  /** Answers that no correct server gives. */
  readonly wrong: readonly string[];
}

export const NAMESPACE = 'load';
export const WRITERS = 64;
export const SLOTS = 3;

export const collectionOf = (resource: Resource): string => `/api/v1/namespaces/${NAMESPACE}/${resource}`;
