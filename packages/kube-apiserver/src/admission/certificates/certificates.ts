import type { CertificateSigningRequest } from '@orrery/api/certificates/v1';
import { newForbidden } from '@orrery/apimachinery';
import type { AdmissionAttributes, AdmissionPlugin, Authorizer } from '@orrery/apiserver';
import { mastersGroup } from '@orrery/apiserver';
import { readSigningRequest } from '@orrery/component';

const never = new AbortController().signal;
const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client';

const isFor = ({ definition, subresource }: AdmissionAttributes, wanted: string): boolean =>
  definition.group === 'certificates.k8s.io' && definition.resource === 'certificatesigningrequests' && subresource === wanted;

function refuse({ definition, name }: AdmissionAttributes, detail: string): Error {
  return newForbidden({ group: definition.group, resource: definition.resource }, name, detail);
}

/** Whether the rules let the user do `verb` with the signer, or with all signers of its domain. Source: certificates.IsAuthorizedForSignerName. */
async function mayUse(authorizer: Authorizer, { user }: AdmissionAttributes, verb: string, signerName: string): Promise<boolean> {
  for (const name of [signerName, `${signerName.split('/')[0]}/*`]) {
    const { decision } = await authorizer.authorize(
      {
        type: 'resource',
        user,
        verb,
        group: 'certificates.k8s.io',
        version: '*',
        resource: 'signers',
        subresource: '',
        namespace: '',
        name,
      },
      never,
    );
    if (decision === 'allow') return true;
  }
  return false;
}

const signerOf = (object: unknown): string => (object as CertificateSigningRequest | undefined)?.spec.signerName ?? '';

/** Who approves, signs and asks has to be allowed to for that signer. Source: the admission plugins named here. */
export function newCertificatePlugins(authorizer: Authorizer): readonly AdmissionPlugin[] {
  return [
    {
      name: 'CertificateApproval',
      async validate(_object, attributes) {
        if (!isFor(attributes, 'approval')) return;
        const signer = signerOf(attributes.old);
        if (await mayUse(authorizer, attributes, 'approve', signer)) return;
        throw refuse(attributes, `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`);
      },
    },
    {
      name: 'CertificateSigning',
      async validate(object, attributes) {
        if (!isFor(attributes, 'status')) return;
        const [next, old] = [object as CertificateSigningRequest, attributes.old as CertificateSigningRequest | undefined];
        if (next.status?.certificate === old?.status?.certificate) return;
        const signer = signerOf(old);
        if (await mayUse(authorizer, attributes, 'sign', signer)) return;
        throw refuse(attributes, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`);
      },
    },
    {
      name: 'CertificateSubjectRestriction',
      validate(object, attributes) {
        if (!isFor(attributes, '') || attributes.operation !== 'CREATE' || signerOf(object) !== CLIENT_SIGNER) return;
        const { organizations } = readSigningRequest(
          Buffer.from((object as CertificateSigningRequest).spec.request ?? '', 'base64').toString('latin1'),
        );
        if (!organizations.includes(mastersGroup)) return;
        throw refuse(attributes, `use of ${CLIENT_SIGNER} signer with ${mastersGroup} group is not allowed`);
      },
    },
  ];
}
