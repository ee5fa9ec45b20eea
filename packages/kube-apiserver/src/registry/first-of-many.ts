/**
 * Fields that exist once and as a list whose first element is the same (podIP and podIPs, podCIDR and podCIDRs): either tells the other,
 * and where they differ the single one counts. Source: the v1 conversions of PodStatus and NodeSpec.
 *
 * @returns Both, to be set; undefined when neither is there.
 */
export function firstOfMany<T>(
  one: string | undefined,
  many: readonly T[] | undefined,
  read: (item: T) => string | undefined,
  wrap: (one: string) => T,
): { readonly one: string; readonly many: T[] } | undefined {
  const first = many?.[0];
  if (one === undefined || one === '') {
    const told = first === undefined ? undefined : read(first);
    return told === undefined || told === '' ? undefined : { one: told, many: [...(many ?? [])] };
  }
  return { one, many: first !== undefined && read(first) === one ? [...(many ?? [])] : [wrap(one)] };
}
