/** Why a string is too long. @param lengthMax - Largest length allowed. Source: validation.MaxLenError. */
export const maxLengthMessage = (lengthMax: number): string => `must be no more than ${lengthMax} characters`;

/** The same for label keys and values, which upstream counts in bytes. Source: content.MaxLenError. */
export const maxBytesMessage = (bytesMax: number): string => `must be no more than ${bytesMax} bytes`;

/** Why a string does not match. @param pattern - The expression without its anchors. Source: validation.RegexError. */
export function patternMessage(message: string, pattern: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`;
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${message} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

/** Why a number is out of range, both ends allowed. Source: validation.InclusiveRangeError. */
export const rangeMessage = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;

/** Source: validation.EmptyError. */
export const emptyMessage = 'must be non-empty';

/** True where `value` takes more than `bytesMax` bytes as UTF-8: Go counts bytes. */
export const longerThan = (value: string, bytesMax: number): boolean =>
  value.length > bytesMax || (value.length * 3 > bytesMax && Buffer.byteLength(value) > bytesMax);
