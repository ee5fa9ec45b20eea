export type PodNetworkErrorCode =
  /** A program that is needed is missing, or the kernel or our rights forbid what is needed. */
  | 'Unavailable'
  | 'AddressesExhausted'
  | 'HostPortTaken'
  | 'CommandFailed'
  /** A CNI plugin failed; the message holds its code and words. */
  | 'CniFailed'
  /** A CNI configuration cannot be read. */
  | 'InvalidConfiguration';

/** Every error of this package's public functions. */
export class PodNetworkError extends Error {
  readonly code: PodNetworkErrorCode;

  constructor(code: PodNetworkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PodNetworkError';
    this.code = code;
  }
}
