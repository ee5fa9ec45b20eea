import { writeSync } from 'node:fs';

/**
 * Writes text to a file that is open, at once and whole. Node's own streams are of no use any more after the first write that a full disk
 * refuses; here the next one is tried again.
 * @param onError - Gets why a text, or the rest of it, is lost.
 */
export function fileOutput(fd: number, onError: (err: NodeJS.ErrnoException) => void): (text: string) => void {
  return (text) => {
    const bytes = Buffer.from(text);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    } catch (err) {
      onError(err as NodeJS.ErrnoException);
    }
  };
}
