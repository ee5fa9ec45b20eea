import { emptyMessage, longerThan, maxBytesMessage, maxLengthMessage, patternMessage } from './messages.ts';

// Every function here answers with the reasons why a string is refused: an empty list accepts it. Texts and order are upstream's
// (k8s.io/apimachinery/pkg/util/validation and pkg/api/validate/content).

const label1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const label1123Expression = new RegExp(`^${label1123}$`);
const label1123Rule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const subdomain1123 = `${label1123}(\\.${label1123})*`;
const subdomain1123Expression = new RegExp(`^${subdomain1123}$`);
const subdomain1123Rule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const label1035Expression = new RegExp(`^${label1035}$`);
const label1035Rule =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
const wildcard = `\\*\\.${subdomain1123}`;
const wildcardExpression = new RegExp(`^${wildcard}$`);
const wildcardRule =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
const underscoreLabel = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const underscoreSubdomain = `${underscoreLabel}(\\.${underscoreLabel})*`;
const underscoreExpression = new RegExp(`^${underscoreSubdomain}$`);
const underscoreRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character";

const labelBytesMax = 63;
const subdomainBytesMax = 253;

/** Up to 63 of `a-z 0-9 -`, as namespaces and container names (RFC 1123). */
export function isDns1123Label(value: string): string[] {
  const reasons = tooLongReasons(value, labelBytesMax);
  if (label1123Expression.test(value)) return reasons;
  if (subdomain1123Expression.test(value)) reasons.push('must not contain dots');
  else reasons.push(patternMessage(label1123Rule, label1123, 'my-name', '123-abc'));
  return reasons;
}

/** Labels joined by dots, up to 253 characters: the usual rule for object names (RFC 1123). */
export function isDns1123Subdomain(value: string): string[] {
  const reasons = tooLongReasons(value, subdomainBytesMax);
  if (!subdomain1123Expression.test(value)) reasons.push(patternMessage(subdomain1123Rule, subdomain1123, 'example.com'));
  return reasons;
}

/** As {@link isDns1123Subdomain}, but labels may hold underscores (DNS search paths). */
export function isDns1123SubdomainWithUnderscore(value: string): string[] {
  const reasons = tooLongReasons(value, subdomainBytesMax);
  if (!underscoreExpression.test(value)) reasons.push(patternMessage(underscoreRule, underscoreSubdomain, 'example.com'));
  return reasons;
}

/** As {@link isDns1123Label}, starting with a letter: Service names (RFC 1035). */
export function isDns1035Label(value: string): string[] {
  const reasons = tooLongReasons(value, labelBytesMax);
  if (!label1035Expression.test(value)) reasons.push(patternMessage(label1035Rule, label1035, 'my-name', 'abc-123'));
  return reasons;
}

/** `*.` and a subdomain, as in Ingress hosts. */
export function isWildcardDns1123Subdomain(value: string): string[] {
  const reasons = tooLongReasons(value, subdomainBytesMax);
  if (!wildcardExpression.test(value)) reasons.push(patternMessage(wildcardRule, wildcard, '*.example.com'));
  return reasons;
}

const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const qualifiedExpression = new RegExp(`^${qualified}$`);
const qualifiedRule = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const qualifiedMessage = patternMessage(qualifiedRule, qualified, 'MyName', 'my.name', '123-abc');
const labelValue = `(${qualified})?`;
const labelValueExpression = new RegExp(`^${labelValue}$`);
const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/** An optional subdomain and slash, then a name of up to 63 bytes: label keys, annotation keys, finalizers, resource names. */
export function isQualifiedName(value: string): string[] {
  const slash = value.indexOf('/');
  if (slash >= 0 && value.indexOf('/', slash + 1) >= 0) {
    return [`a valid label key ${qualifiedMessage} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const reasons = slash < 0 ? [] : prefixReasons(value.slice(0, slash));
  const name = slash < 0 ? value : value.slice(slash + 1);
  if (name === '') reasons.push(`name part ${emptyMessage}`);
  else if (longerThan(name, labelBytesMax)) reasons.push(`name part ${maxBytesMessage(labelBytesMax)}`);
  if (!qualifiedExpression.test(name)) reasons.push(`name part ${qualifiedMessage}`);
  return reasons;
}

function prefixReasons(prefix: string): string[] {
  if (prefix === '') return [`prefix part ${emptyMessage}`];
  const reasons: string[] = [];
  if (longerThan(prefix, subdomainBytesMax)) reasons.push(`prefix part ${maxBytesMessage(subdomainBytesMax)}`);
  if (!subdomain1123Expression.test(prefix)) {
    reasons.push(`prefix part ${patternMessage(subdomain1123Rule, subdomain1123, 'example.com')}`);
  }
  return reasons;
}

/** Empty, or up to 63 bytes of `A-Za-z0-9 - _ .` starting and ending with a letter or digit. */
export function isValidLabelValue(value: string): string[] {
  const reasons: string[] = [];
  if (longerThan(value, labelBytesMax)) reasons.push(maxBytesMessage(labelBytesMax));
  if (!labelValueExpression.test(value)) {
    reasons.push(patternMessage(labelValueRule, labelValue, 'MyValue', 'my_value', '12345'));
  }
  return reasons;
}

function tooLongReasons(value: string, bytesMax: number): string[] {
  return longerThan(value, bytesMax) ? [maxLengthMessage(bytesMax)] : [];
}
