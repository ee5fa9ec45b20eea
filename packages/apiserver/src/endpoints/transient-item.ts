import type { KubeObject } from '@orrery/apimachinery';
import type { Encoded } from '../handler.ts';

/** An answer that is not kept: dry runs, objects that the write removed, and views. Serialised on first use. */
export class TransientItem implements Encoded {
  readonly object: KubeObject;
  readonly revision: number;
  #json: Buffer | undefined;

  constructor(object: KubeObject, revision: number) {
    this.object = object;
    this.revision = revision;
  }

  get json(): Buffer {
    this.#json ??= Buffer.from(JSON.stringify(this.object));
    return this.#json;
  }
}
