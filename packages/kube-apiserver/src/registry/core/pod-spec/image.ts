/** The tag of an image reference: `latest` when it names neither tag nor digest, empty when it is no reference. */
export function imageTagOf(reference: string): string {
  if (reference === '' || /\s/.test(reference)) return '';
  const [name = '', digest] = reference.split('@', 2);
  const afterSlash = name.slice(name.lastIndexOf('/') + 1);
  const colon = afterSlash.indexOf(':');
  if (colon >= 0) return afterSlash.slice(colon + 1);
  return digest === undefined ? 'latest' : '';
}

/** The pull policy of an image for which none is given: what moves is pulled always. */
export function imagePullPolicyOf(reference: string): 'Always' | 'IfNotPresent' {
  return imageTagOf(reference) === 'latest' ? 'Always' : 'IfNotPresent';
}
