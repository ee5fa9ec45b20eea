import { newBadRequest } from '../errors/status-error.ts';

export interface RoundingOptions {
  /** Round a share of `total` up instead of down. */
  readonly roundUp: boolean;
}

const int64Max = 2n ** 63n - 1n;

/**
 * A count, or a percentage of `total`. @param total - A whole number.
 * @throws StatusError BadRequest with upstream's text. Source: intstr.GetScaledValueFromIntOrPercent.
 */
export function intOrPercent(value: number | string | undefined, total: number, { roundUp }: RoundingOptions): number {
  if (value === undefined || value === null) throw newBadRequest('nil value for IntOrString');
  if (typeof value === 'number') return value;
  const share = (percentOf(value) * total) / 100;
  return roundUp ? Math.ceil(share) : Math.floor(share);
}

function percentOf(text: string): number {
  if (!text.endsWith('%')) throw newBadRequest('invalid value for IntOrString: invalid type: string is not a percentage');
  const digits = text.slice(0, -1);
  const reason = integerProblem(digits);
  if (reason !== undefined) {
    throw newBadRequest(
      `invalid value for IntOrString: invalid value ${JSON.stringify(text)}: strconv.Atoi: parsing ${JSON.stringify(digits)}: ${reason}`,
    );
  }
  return Number(digits);
}

function integerProblem(digits: string): string | undefined {
  if (!/^[+-]?[0-9]+$/.test(digits)) return 'invalid syntax';
  const significant = digits.replace(/^[+-]?0*/, '');
  return significant.length > 19 || BigInt(significant === '' ? '0' : significant) > int64Max ? 'value out of range' : undefined;
}
