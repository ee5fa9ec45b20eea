const shownBytesMax = 30;

/**
 * The message of a body that is no object at all, as upstream words it: `the object provided is unrecognized (must be of type
 * Pod): … (7b2261 ...)`. @param problem - What the parser said.
 */
export function unrecognizedObject(kind: string, problem: string, body: Uint8Array): string {
  return `the object provided is unrecognized (must be of type ${kind}): ${problem} (${summary(body)})`;
}

/** The first bytes of a body: as text if it begins like JSON, else in hexadecimal. */
function summary(body: Uint8Array): string {
  if (body.length === 0) return '<empty>';
  const shown = Buffer.from(body.subarray(0, shownBytesMax));
  return `${body[0] === 0x7b ? shown.toString('utf8') : shown.toString('hex')}${body.length > shownBytesMax ? ' ...' : ''}`;
}
