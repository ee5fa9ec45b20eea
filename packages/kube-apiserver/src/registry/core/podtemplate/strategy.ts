import type { PodTemplate } from '@orrery/api/core/v1';
import type { Strategy } from '@orrery/apiserver';
import { ensure } from '../../defaulting.ts';
import { defaultPodTemplate } from '../pod-spec/defaults.ts';
import { validatePodTemplate } from '../pod-spec/validate-template.ts';
import { podTemplateWarnings } from '../pod-spec/warnings.ts';

export const podTemplateStrategy: Strategy<PodTemplate> = {
  generationOf: ({ template }) => template,
  allowCreateOnUpdate: true,
  returnsDeletedObject: true,
  default: (draft) => defaultPodTemplate(ensure(draft, 'template')),
  validate: ({ template }) => validatePodTemplate(template, 'template'),
  validateUpdate: ({ template }) => validatePodTemplate(template, 'template'),
  warnings: ({ template }, old) => podTemplateWarnings('template', template, old?.template),
};
