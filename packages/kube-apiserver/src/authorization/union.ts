import type { Authorizer, Decision, RuleSet } from '@orrery/apiserver';

/** Asks one after the other until one has an opinion. Reasons of those without are told together. Source: authorizer/union. */
export function newUnionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    async authorize(attributes, signal): Promise<Decision> {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const decided = authorizer.authorize(attributes, signal);
        const found = decided instanceof Promise ? await decided : decided;
        if (found.decision !== 'noOpinion') return found;
        if (found.reason !== '') reasons.push(found.reason);
      }
      return { decision: 'noOpinion', reason: reasons.join('\n') };
    },
    async rulesFor(user, namespace, signal): Promise<RuleSet> {
      const sets: RuleSet[] = [];
      for (const authorizer of authorizers) sets.push(await authorizer.rulesFor(user, namespace, signal));
      const errors = sets.map(({ evaluationError }) => evaluationError).filter((error) => error !== undefined);
      return {
        resourceRules: sets.flatMap(({ resourceRules }) => resourceRules),
        nonResourceRules: sets.flatMap(({ nonResourceRules }) => nonResourceRules),
        incomplete: sets.some(({ incomplete }) => incomplete),
        ...(errors.length === 0 ? {} : { evaluationError: errors.join(', ') }),
      };
    },
  };
}
