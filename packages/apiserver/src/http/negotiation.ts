import { StatusError } from '@orrery/apimachinery';
import { type MediaRange, parseAccept, parseMediaType } from './accept.ts';

export type Format = 'json' | 'yaml' | 'protobuf';

export interface Conversion {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The form in which a client wants its answer. */
export interface Accepted {
  readonly format: Format;
  /** `as=Kind;v=version;g=group`: another form of the same objects. */
  readonly as: Conversion | undefined;
  readonly pretty: boolean;
}

const mediaTypes: readonly { readonly format: Format; readonly subtype: string }[] = [
  { format: 'json', subtype: 'json' },
  { format: 'yaml', subtype: 'yaml' },
  { format: 'protobuf', subtype: 'vnd.kubernetes.protobuf' },
];
export const contentTypes: Readonly<Record<Format, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
};

/** What an endpoint can answer with. */
export interface Offer {
  /** For caching: equal names mean equal offers. */
  readonly name: string;
  readonly formats: readonly Format[];
  /** Further names of a format, tried after the common ones. Subtypes of `application`, lower-case. */
  readonly aliases?: readonly { readonly format: Format; readonly subtype: string }[];
  /** Answers with a stream of events. */
  readonly stream: boolean;
  allows(conversion: Conversion, format: Format): boolean;
}

const metaForms = (conversion: Conversion, format: Format): boolean => {
  if (conversion.group !== 'meta.k8s.io' || (conversion.version !== 'v1' && conversion.version !== 'v1beta1')) return false;
  if (conversion.kind === 'Table') return format !== 'protobuf';
  return conversion.kind === 'PartialObjectMetadata' || conversion.kind === 'PartialObjectMetadataList';
};

/** Objects and lists. */
export const objectOffer: Offer = { name: 'object', formats: ['json', 'yaml', 'protobuf'], stream: false, allows: metaForms };
/** Answers of kinds that are asked, not kept: there are no rows of them. */
export const answerOffer: Offer = {
  ...objectOffer,
  name: 'answer',
  allows: (form, format) => form.kind !== 'Table' && metaForms(form, format),
};
/** Watches: YAML has no framing. */
export const watchOffer: Offer = { name: 'watch', formats: ['json', 'protobuf'], stream: true, allows: metaForms };
const reduced = new Map<Offer, Offer>();

/** The same offer for kinds that have no protobuf form. */
export function withoutProtobuf(offer: Offer): Offer {
  const known = reduced.get(offer);
  if (known !== undefined) return known;
  const fresh: Offer = {
    ...offer,
    name: `${offer.name} without protobuf`,
    formats: offer.formats.filter((format) => format !== 'protobuf'),
  };
  reduced.set(offer, fresh);
  return fresh;
}

/** Errors, and answers of one kind. */
export const plainOffer: Offer = { name: 'plain', formats: ['json', 'yaml', 'protobuf'], stream: false, allows: () => false };

/** Parsed headers: clients repeat a handful of them. Bounded, emptied when full. */
const cache = new Map<string, Accepted | undefined>();
const cacheEntriesMax = 512;

/** @throws {StatusError} 406 with upstream's text when nothing fits. */
export function negotiate(header: string | undefined, offer: Offer): Accepted {
  const accepted = find(header, offer);
  if (accepted === undefined) throw notAcceptable(offer);
  return accepted;
}

/** As {@link negotiate}, but JSON when nothing fits: errors are always told. */
export const negotiateError = (header: string | undefined): Accepted => find(header, plainOffer) ?? jsonAnswer;

const jsonAnswer: Accepted = { format: 'json', as: undefined, pretty: false };

function find(header: string | undefined, offer: Offer): Accepted | undefined {
  if (header === undefined || header === '') return jsonAnswer;
  const key = `${offer.name} ${header}`;
  if (cache.has(key)) return cache.get(key);
  const accepted = select(header, offer);
  if (cache.size >= cacheEntriesMax) cache.clear();
  if (header.length < 512) cache.set(key, accepted);
  return accepted;
}

function select(header: string, offer: Offer): Accepted | undefined {
  for (const range of parseAccept(header)) {
    for (const { format, subtype } of offer.aliases === undefined ? mediaTypes : [...mediaTypes, ...offer.aliases]) {
      if (!offer.formats.includes(format) || !covers(range, subtype)) continue;
      const accepted = acceptedBy(range, format, offer);
      if (accepted !== undefined) return accepted;
    }
  }
  return undefined;
}

const covers = ({ type, subtype }: MediaRange, offered: string): boolean =>
  (type === 'application' && (subtype === offered || subtype === '*')) || (type === '*' && subtype === '*');

function acceptedBy({ parameters }: MediaRange, format: Format, offer: Offer): Accepted | undefined {
  const kind = parameters.get('as');
  const version = parameters.get('v');
  const group = parameters.get('g');
  const stream = parameters.get('stream') ?? '';
  if ((parameters.get('sv') ?? '') !== '') return undefined;
  if (stream !== '' && (stream !== 'watch' || format === 'yaml')) return undefined;
  const as = kind === undefined && version === undefined && group === undefined ? undefined : conversionOf(kind, version, group);
  if (as !== undefined && !offer.allows(as, format)) return undefined;
  return { format, as, pretty: parameters.get('pretty') === '1' };
}

const conversionOf = (kind = '', version = '', group = ''): Conversion => ({ kind, version, group });

function notAcceptable({ formats, stream }: Offer): StatusError {
  const list = formats.map((format) => `${contentTypes[format]}${stream ? ';stream=watch' : ''}`).join(', ');
  return new StatusError('NotAcceptable', `only the following media types are accepted: ${list}`);
}

/** @throws {StatusError} 415 with upstream's text. */
export function bodyFormatOf(contentType: string | undefined): Format {
  if (contentType === undefined || contentType === '') return 'json';
  const range = parseMediaType(contentType);
  const found = range?.type === 'application' ? mediaTypes.find(({ subtype }) => subtype === range.subtype) : undefined;
  if (found === undefined) throw unsupportedMediaType(Object.values(contentTypes));
  return found.format;
}

export const unsupportedMediaType = (accepted: readonly string[]): StatusError =>
  new StatusError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );

/** Answers for people are indented: when asked, and for browsers and command-line tools. */
export function wantsPretty(accepted: Accepted, query: URLSearchParams, userAgent: string | undefined): boolean {
  if (accepted.pretty) return true;
  const asked = query.get('pretty') ?? '';
  if (asked !== '') return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(asked);
  return userAgent !== undefined && /^(?:curl|Wget|Mozilla\/5\.0)/.test(userAgent);
}
