/** This package's version. Held equal to package.json by a test. */
export const orreryVersion = '0.1.0';
/** The Kubernetes version whose API is served. */
export const kubernetesVersion = 'v1.36.0';
