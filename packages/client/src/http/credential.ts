/** Who we are, for a time. */
export interface Credential {
  /** Bearer token. */
  readonly token?: string;
  /** Client certificate with its key, PEM. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/**
 * Gives the current credential; the same object as long as it is the same. `rejected`: the one that the server answered 401 to: another is
 * wanted. Rejects with a `StatusError`.
 */
export type CredentialSource = (options: { readonly rejected: Credential | undefined }) => Promise<Credential>;
