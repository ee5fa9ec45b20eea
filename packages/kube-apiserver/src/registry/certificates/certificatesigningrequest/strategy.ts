import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '@orrery/api/certificates/v1';
import { cloneJson, type Draft } from '@orrery/apimachinery';
import type { PartialUpdate, Strategy } from '@orrery/apiserver';
import { certificateErrors, conditionErrors, validateRequest, verdictErrors } from './validation.ts';

type Request = CertificateSigningRequest;

/** A request says itself only what is asked for; who asks is the server's to say. Source: csrStrategy. */
export const certificateSigningRequestStrategy: Strategy<Request> = {
  generation: 'none',
  prepareForCreate(draft, { user }) {
    const { spec } = draft;
    spec.username = user.username;
    spec.groups = [...user.groups];
    delete spec.uid;
    if (user.uid !== undefined) spec.uid = user.uid;
    delete spec.extra;
    if (user.extra !== undefined) spec.extra = cloneJson(user.extra) as NonNullable<typeof spec.extra>;
  },
  validate: validateRequest,
  prepareForUpdate(draft, old) {
    draft.spec = cloneJson(old.spec);
  },
  validateUpdate: (next, old) => verdictErrors(next, old),
};

const conditionsOf = (request: Draft<Request> | Request): readonly CertificateSigningRequestCondition[] => request.status?.conditions ?? [];

/** `/approval`: the verdict, and nothing else. */
export const approval: PartialUpdate<Request> = {
  prepareForUpdate(draft, old, { now }) {
    const conditions = stamped(conditionsOf(draft), conditionsOf(old), now);
    draft.spec = cloneJson(old.spec);
    draft.status = { ...cloneJson(old.status ?? {}), conditions } as NonNullable<Draft<Request>['status']>;
  },
  validateUpdate: (next, old) => [...conditionErrors(next.status?.conditions ?? []), ...verdictErrors(next, old)],
};

/** `/status`: the certificate, and conditions that are no verdict on the request. */
export const status: PartialUpdate<Request> = {
  prepareForUpdate(draft, old, { now }) {
    draft.spec = cloneJson(old.spec);
    const isVerdict = ({ type }: CertificateSigningRequestCondition): boolean => type === 'Approved' || type === 'Denied';
    const kept = conditionsOf(old).filter(isVerdict);
    const others = conditionsOf(draft).filter((condition) => !isVerdict(condition));
    const conditions = stamped([...kept, ...others], conditionsOf(old), now);
    draft.status = { ...draft.status, ...(conditions.length === 0 ? {} : { conditions }) } as NonNullable<Draft<Request>['status']>;
  },
  validateUpdate: (next, old) => [
    ...conditionErrors(next.status?.conditions ?? []),
    ...verdictErrors(next, old),
    ...certificateErrors(next, old),
  ],
};

/** New conditions get their times. Source: populateConditionTimestamps. */
function stamped(
  conditions: readonly CertificateSigningRequestCondition[],
  old: readonly CertificateSigningRequestCondition[],
  now: string,
): Draft<CertificateSigningRequestCondition>[] {
  return conditions.map((condition) => {
    const before = old.find(({ type }) => type === condition.type);
    const same = before?.status === condition.status;
    return {
      ...cloneJson(condition),
      lastUpdateTime: condition.lastUpdateTime ?? now,
      lastTransitionTime: condition.lastTransitionTime ?? (same ? before?.lastTransitionTime : undefined) ?? now,
    };
  });
}
