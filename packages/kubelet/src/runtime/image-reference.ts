// Grammar of distribution/reference: [domain/]path[:tag][@digest].
const domain = String.raw`(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?|\[[0-9a-fA-F:]+\](?::[0-9]+)?`;
const component = `[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*`;
const tag = String.raw`[\w][\w.-]{0,127}`;
const digest = `[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}`;
const reference = new RegExp(`^(?:(?:${domain})/)?${component}(?:/${component})*(?::${tag})?(?:@${digest})?$`);
const tagOrDigest = new RegExp(`(?::${tag}|@${digest})$`);

/** Whether an image's name can be parsed. Longest path: 255. */
export const isImageReference = (image: string): boolean => image.length <= 1024 && reference.test(image);

export function hasTagOrDigest(image: string): boolean {
  const path = image.slice(image.lastIndexOf('/') + 1);
  return image.includes('@') || tagOrDigest.test(path);
}
