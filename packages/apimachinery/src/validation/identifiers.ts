import { emptyMessage, longerThan, maxLengthMessage, patternMessage, rangeMessage } from './messages.ts';

// Like names.ts: each function answers with upstream's reasons for refusal, none where the value is fine.

const configKey = '[-._a-zA-Z0-9]+';
const configKeyExpression = new RegExp(`^${configKey}$`);
const configKeyRule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
const envName = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const envNameExpression = new RegExp(`^${envName}$`);
const envNameRule =
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit";
const relaxedEnvNameRule = "a valid environment variable name must consist only of printable ASCII characters other than '='";
const identifier = '[A-Za-z_][A-Za-z0-9_]*';
const identifierExpression = new RegExp(`^${identifier}$`);
const identifierRule =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'";
const header = '[-A-Za-z0-9]+';
const headerExpression = new RegExp(`^${header}$`);
const headerRule = "a valid HTTP header must consist of alphanumeric characters or '-'";
const percent = '[0-9]+%';
const percentExpression = new RegExp(`^${percent}$`);
const percentRule = "a valid percent string must be a numeric string followed by an ending '%'";
const conditionReason = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const conditionReasonExpression = new RegExp(`^${conditionReason}$`);
const conditionReasonRule =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";

/** A key of a ConfigMap or Secret: it becomes a file name. */
export function isConfigMapKey(value: string): string[] {
  const reasons = longerThan(value, 253) ? [maxLengthMessage(253)] : [];
  if (!configKeyExpression.test(value)) {
    reasons.push(patternMessage(configKeyRule, configKey, 'key.name', 'KEY_NAME', 'key-name'));
  }
  return [...reasons, ...parentDirectoryReasons(value)];
}

/** A name of an environment variable by the strict rule. Containers follow {@link isRelaxedEnvVarName}. */
export function isEnvVarName(value: string): string[] {
  const reasons: string[] = [];
  if (!envNameExpression.test(value)) {
    reasons.push(patternMessage(envNameRule, envName, 'my.env-name', 'MY_ENV.NAME', 'MyEnvName1'));
  }
  return [...reasons, ...parentDirectoryReasons(value)];
}

/** Any printable ASCII but `=` (KEP-4369). */
export function isRelaxedEnvVarName(value: string): string[] {
  if (value === '') return [`environment variable name ${emptyMessage}`];
  return /^[ -<>-~]+$/.test(value) ? [] : [relaxedEnvNameRule];
}

/** A port's name: up to 15 of `a-z 0-9 -` with a letter (RFC 6335). */
export function isPortName(value: string): string[] {
  const reasons = longerThan(value, 15) ? [maxLengthMessage(15)] : [];
  if (!/^[-a-z0-9]+$/.test(value)) reasons.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) reasons.push('must contain at least one letter (a-z)');
  if (value.includes('--')) reasons.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) reasons.push('must not begin or end with a hyphen');
  return reasons;
}

/** A name that C would take. */
export const isCIdentifier = (value: string): string[] =>
  identifierExpression.test(value) ? [] : [patternMessage(identifierRule, identifier, 'my_name', 'MY_NAME', 'MyName')];

/** A header's name as Go's HTTP library has it. */
export const isHttpHeaderName = (value: string): string[] =>
  headerExpression.test(value) ? [] : [patternMessage(headerRule, header, 'X-Header-Name')];

/** `0%`, `25%`, `150%`. */
export const isPercent = (value: string): string[] =>
  percentExpression.test(value) ? [] : [patternMessage(percentRule, percent, '1%', '93%')];

/** A condition's `reason`, apart from its length. */
export const isConditionReason = (value: string): string[] =>
  conditionReasonExpression.test(value)
    ? []
    : [patternMessage(conditionReasonRule, conditionReason, 'my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB')];

/** A whole number from `low` to `high`. */
export const isInRange = (value: number, low: number, high: number): string[] =>
  value >= low && value <= high ? [] : [rangeMessage(low, high)];

/** A port's number: 1 to 65535. */
export const isPortNumber = (value: number): string[] => isInRange(value, 1, 65535);

/** A Unix user id: an unsigned 32-bit number. */
export const isUserId = (value: number): string[] => isInRange(value, 0, 0xffffffff);

/** A Unix group id: an unsigned 32-bit number. */
export const isGroupId = isUserId;

function parentDirectoryReasons(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}
