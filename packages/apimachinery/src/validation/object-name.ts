import { isDns1035Label, isDns1123Label, isDns1123Subdomain } from './names.ts';

/** Why a name, or a prefix of generated names, is refused. */
export type NameValidator = (name: string, isPrefix: boolean) => string[];

/** A prefix may end in a dash: something follows it. */
const masked = (name: string): string => (name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name);

/** The rule for most kinds. Source: validation.NameIsDNSSubdomain. */
export const nameIsDnsSubdomain: NameValidator = (name, isPrefix) => isDns1123Subdomain(isPrefix ? masked(name) : name);

/** The rule for namespaces. Source: validation.NameIsDNSLabel. */
export const nameIsDnsLabel: NameValidator = (name, isPrefix) => isDns1123Label(isPrefix ? masked(name) : name);

/** The rule for Services. Source: validation.NameIsDNS1035Label. */
export const nameIsDns1035Label: NameValidator = (name, isPrefix) => isDns1035Label(isPrefix ? masked(name) : name);

/** The rule for RBAC objects: whatever can be one step of a URL. Source: path.ValidatePathSegmentName. */
export const nameIsPathSegment: NameValidator = (name, isPrefix) => {
  if (!isPrefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%'].filter((char) => name.includes(char)).map((char) => `may not contain '${char}'`);
};
